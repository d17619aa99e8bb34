/**
 * Layout of a SPANS payload, shared by encoder and decoder. A frame stands alone: its own strings, shapes and traces.
 *
 *   u64  sequence number
 *   u64  base: Unix time in µs
 *   u32  spans in this frame
 *   then entries, each told by its first byte; a definition stands before its first use, numbers count from 0:
 *
 *   01 STRING  u16 bytes, UTF-8
 *   02 SHAPE   u8 kind, u16 scope (string), u8 slots, per slot u16 key (string) and u8 type
 *   03 TRACE   16 bytes trace id, 8 bytes span id of the local root
 *   80|flags SPAN
 *        u16 shape, u16 trace
 *        8 bytes span id                  unless LOCAL_ROOT: then it is the trace entry's
 *        8 bytes parent id                if EXPLICIT_PARENT; PARENT_IS_ROOT: the trace entry's; neither: none
 *        u32 end in ns after the base, u32 duration in ns; both f64 if LONG_TIMES
 *        change mask, ceil((1 + slots) / 8) bytes, lowest bit first: bit 0 the name, bit 1 + i slot i;
 *             a clear bit means: as in the previous span of this shape in this frame
 *        name, u16 (string)               if changed
 *        per changed slot, by its type:
 *             0 string   u16 string number, or FFFF, u16 bytes, UTF-8
 *             1 integer  i32        2 double  f64        3 boolean  u8        4 JSON  u32 bytes, UTF-8
 *        u32 bytes, JSON SpanExtra        if EXTRA
 *
 * All integers are little endian; ids are big endian as in W3C Trace Context. start = base + end - duration.
 */
export const ENTRY_STRING = 0x01;
export const ENTRY_SHAPE = 0x02;
export const ENTRY_TRACE = 0x03;
export const ENTRY_SPAN = 0x80;

export const LOCAL_ROOT = 0x01;
export const REMOTE_PARENT = 0x02;
export const PARENT_IS_ROOT = 0x04;
export const EXPLICIT_PARENT = 0x08;
export const ERROR = 0x10;
export const LONG_TIMES = 0x20;
export const EXTRA = 0x40;

export const INLINE_STRING = 0xffff;
/** Sequence, base and span count. */
export const SPANS_HEADER_BYTES = 20;
export const MAX_U32 = 0xffffffff;

/** One local root's identity, shared by the spans under it. Ids as 32-bit integers (signed or not). */
export class TraceEntry {
  readonly t0: number;
  readonly t1: number;
  readonly t2: number;
  readonly t3: number;
  readonly rootHi: number;
  readonly rootLo: number;
  // The encoder's notes, valid while `epoch` equals the epoch of its frame.
  epoch = 0;
  index = 0;

  constructor(t0: number, t1: number, t2: number, t3: number, rootHi: number, rootLo: number) {
    this.t0 = t0;
    this.t1 = t1;
    this.t2 = t2;
    this.t3 = t3;
    this.rootHi = rootHi;
    this.rootLo = rootLo;
  }
}
