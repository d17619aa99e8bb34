import "../../dist/register.js";
import "./call-hono.mjs";
