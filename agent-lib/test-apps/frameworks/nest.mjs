import { boom, laterBoom, parts, refused, work } from "./work.mjs";

// Decorators are called as functions: this file is not compiled.
export default async function make(load, platform) {
  await load("reflect-metadata");
  const common = await load("@nestjs/common");
  const { NestFactory } = await load("@nestjs/core");
  const { Controller, Get, Module, Param, Req, StreamableFile, HttpException } = common;
  const adapter =
    platform === "fastify"
      ? new (await load("@nestjs/platform-fastify")).FastifyAdapter()
      : new (await load("@nestjs/platform-express")).ExpressAdapter();

  class Users {
    async one(id, request) {
      await work(request.originalUrl ?? request.url);
      return id;
    }
  }
  decorate(Users, "one", Get(":id"), [Param("id"), Req()]);
  Controller("orgs/:org/users")(Users);

  class Others {
    boom() {
      boom();
    }
    laterBoom() {
      return laterBoom();
    }
    refused() {
      throw new HttpException(refused().message, 403);
    }
    stream(request) {
      return new StreamableFile(parts(request.originalUrl ?? request.url));
    }
    hang() {
      return new Promise(() => {});
    }
    guarded() {}
  }
  decorate(Others, "boom", Get("boom"), []);
  decorate(Others, "laterBoom", Get("later-boom"), []);
  decorate(Others, "refused", Get("refused"), []);
  decorate(Others, "stream", Get("stream"), [Req()]);
  decorate(Others, "hang", Get("hang"), []);
  decorate(Others, "guarded", Get("guarded"), []);
  const guard = {
    canActivate: () => {
      throw new HttpException("no", 401);
    },
  };
  common.UseGuards(guard)(
    Others.prototype,
    "guarded",
    Object.getOwnPropertyDescriptor(Others.prototype, "guarded"),
  );
  Controller()(Others);

  class App {}
  Module({ controllers: [Users, Others] })(App);
  const app = await NestFactory.create(App, adapter, { logger: false });
  await app.init();
  if (platform === "fastify") await adapter.getInstance().ready();
  return app.getHttpServer();
}

function decorate(type, method, route, parameters) {
  route(type.prototype, method, Object.getOwnPropertyDescriptor(type.prototype, method));
  parameters.forEach((parameter, index) => parameter(type.prototype, method, index));
  Reflect.defineMetadata(
    "design:paramtypes",
    parameters.map(() => Object),
    type.prototype,
    method,
  );
}
