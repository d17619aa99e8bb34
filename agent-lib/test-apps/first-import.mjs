// As users do who cannot change the command line: there it is "@apm-daemon/agent/register".
import "../dist/register.js";
import "./web.mjs";
