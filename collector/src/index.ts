export { PasswordStore } from "./access/password-store.ts";
export { type Collector, type CollectorOptions, startCollector } from "./collector.ts";
export { CollectorError, type CollectorErrorCode } from "./collector-error.ts";
export { type CollectorConfig, type CollectorConfigInput, CollectorConfigSchema } from "./config.ts";
export { API_TOKENS, type CreatedKey, type KeyInfo, type KeyKind, KeyStore } from "./key-store.ts";
export { API_CALLS, type ApiCall } from "./web/api-calls.ts";
export { parameterRows } from "./web/parameter-rows.ts";
