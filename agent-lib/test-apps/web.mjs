// An Express app as ES module that calls itself once.
import http from "node:http";
import express from "express";
import { callOnce } from "./call-once.mjs";

const orgs = express.Router();
orgs.get("/users/:id", (request, response) => response.send(request.params.id));
const app = express();
app.use("/orgs/:org", orgs);
const server = http.createServer(app);
callOnce(server, "/orgs/acme/users/7?token=canary");
