export { type ApdexZone, apdexScore, apdexZone } from "./apdex.ts";
export * from "./app-event.ts";
export {
  BATCH_PREFIX_BYTES,
  type Batch,
  type BatchCodec,
  type BatchIdentity,
  decodeBatch,
  decodeBatchIdentity,
  encodeBatch,
  READABLE_CODECS,
} from "./batch.ts";
export type * from "./batch-header.ts";
export * from "./control.ts";
export { databaseCategory } from "./database-category.ts";
export { ProtocolError, type ProtocolErrorCode } from "./errors.ts";
export { folderDistrust } from "./folder-distrust.ts";
export {
  bucketMiddleUs,
  bucketOf,
  HISTOGRAM_SCALE,
  MAX_BUCKET,
  mergeHistograms,
  quantileUs,
  type SparseHistogram,
  sparseHistogram,
} from "./histogram.ts";
export { HOST_METRICS, type HostMetric, PROCESS_METRICS, type SecondsTable } from "./host-metrics.ts";
export { type LedgerReport, SEALED_LOSS_REASONS } from "./ledger-report.ts";
export * from "./limits.ts";
export * from "./live.ts";
export {
  encodeMessage,
  MESSAGE_HEADER_BYTES,
  MessageReader,
  MessageType,
  type MessageTypeNumber,
  sequenceOf,
} from "./message.ts";
export * from "./pushed-settings.ts";
export * from "./recent-report.ts";
export { type AttributeValue, MAX_SHAPES, Shape, ShapeTree, type SlotType, slotTypeOf } from "./shape.ts";
export { type SpanAnswer, type SpanCategory, spansOfPart, type TracePart } from "./span-answer.ts";
export {
  DecodedShape,
  DecodedTrace,
  decodeSpans,
  decodeSpansHeader,
  type SpansHeader,
  type SpanView,
} from "./span-decoder.ts";
export { MAX_POOLED_BUFFERS, SpanEncoder, type SpanRecord } from "./span-encoder.ts";
export { parseSpanExtra, type SpanEvent, type SpanExtra, type SpanLink } from "./span-extra.ts";
export { SPANS_HEADER_BYTES, TraceEntry } from "./span-frame.ts";
export type {
  FailingSampler,
  RecoveryStatus,
  SamplingStatus,
  StatusApp,
  StatusEvent,
  StatusInstance,
  StatusReport,
  StatusUser,
  VerdictCounts,
} from "./status.ts";
export { MAX_TOP_APPS, type TopApp, type TopReport } from "./top-report.ts";
export {
  type AskedHost,
  type FetchedTraceAnswer,
  type RepeatAnswer,
  type TraceAnswer,
  traceAnswer,
  type WholeTraceAnswer,
  wholeTraceAnswer,
} from "./trace-answer.ts";
export * from "./uplink.ts";
export * from "./verdict.ts";
