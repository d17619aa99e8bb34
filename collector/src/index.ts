export { type Collector, type CollectorOptions, startCollector } from "./collector.ts";
export { CollectorError, type CollectorErrorCode } from "./collector-error.ts";
export { type CollectorConfig, type CollectorConfigInput, CollectorConfigSchema } from "./config.ts";
export { type CreatedKey, type KeyInfo, KeyStore } from "./key-store.ts";
