// As users do who cannot change the command line.
import "@apm-daemon/agent/register";
import "./web.mjs";
