/** How long what is kept, in UTC days from the day of its arrival. */
export interface Retention {
  /** Rows as they arrived. */
  days: number;
  minutesDays: number;
  hoursDays: number;
  /** All traces. */
  tracesDays: number;
  /** Slow and failed ones, and a tenth of the others. */
  sampledTracesDays: number;
  /** Errors, statements, ends of processes, the ledger and whatever else is read row by row. */
  recordsDays: number;
}

/** What is made of other data is kept as long as that at least, so that no range has coarse data only at its newer end. */
export function inOrder(wanted: Retention): Retention {
  const minutesDays = Math.max(wanted.minutesDays, wanted.days);
  const tracesDays = Math.max(wanted.tracesDays, wanted.days);
  return {
    days: wanted.days,
    minutesDays,
    hoursDays: Math.max(wanted.hoursDays, minutesDays),
    tracesDays,
    sampledTracesDays: Math.max(wanted.sampledTracesDays, tracesDays),
    recordsDays: Math.max(wanted.recordsDays, wanted.days),
  };
}
