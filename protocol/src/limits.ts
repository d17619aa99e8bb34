/** Versions of the agent protocol this build speaks, newest first. */
export const AGENT_PROTOCOL_VERSIONS: readonly number[] = [1];
/** WebSocket subprotocol between daemon and collector. */
export const UPLINK_SUBPROTOCOL = "apm-uplink.v1";

/** Largest agent message, type byte and payload together. Checked before anything is allocated. */
export const MAX_MESSAGE_BYTES = 1_048_576;
/** Agents flush a SPANS frame when it reaches this size, so that one frame is one write. */
export const FRAME_BYTES = 65_536;
/** Largest WebSocket message between daemon and collector. */
export const MAX_UPLINK_MESSAGE_BYTES = 8_388_608;
/** Largest batch after decompression: a bound for the reader's memory; daemons make none that exceeds a message before compression. */
export const MAX_BATCH_BODY_BYTES = 16_777_216;
/** Objects and lists in a batch's header: each costs its reader many times its two characters. The largest real header has half as many. */
export const MAX_BATCH_HEADER_NODES = 500_000;
/** Traces that one WANT may ask for. */
export const MAX_WANTED_TRACES = 16;
/** Most traces of one batch: ten times what a daemon keeps in 10 s. */
export const MAX_BATCH_TRACES = 20_000;

export const MAX_ATTRIBUTES_PER_SPAN = 128;
/** Characters kept of an attribute value; longer ones end in "…". */
export const MAX_ATTRIBUTE_CHARS = 1_024;
/** Characters kept of a database statement. */
export const MAX_STATEMENT_CHARS = 4_096;
/** The attribute under which the spans of a kept trace carry their statement's fingerprint; daemons set it, not agents. */
export const FINGERPRINT_KEY = "apm.statement.fingerprint";
/** Repeats that the summary of a trace names. */
export const MAX_REPEATS_PER_TRACE = 5;
export const MAX_STACK_FRAMES = 50;
export const MAX_EVENTS_PER_SPAN = 16;
export const MAX_NAME_CHARS = 255;
/** Counters of an app's own in one RUNTIME frame. */
export const MAX_COUNTERS_PER_FRAME = 100;
/** Distinct strings, shapes and traces of one SPANS frame: they are numbered with 16 bits. */
export const MAX_FRAME_TABLE_ENTRIES = 65_535;
