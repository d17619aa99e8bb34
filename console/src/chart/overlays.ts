import type uPlot from "uplot";

/** Hatches the time in which nothing arrived: unlike an empty area it says "unknown". */
export function drawHatch(plot: uPlot, fromMs: number, toMs: number, color: string): void {
  const { ctx, bbox } = plot;
  const left = Math.max(plot.valToPos(fromMs, "x", true), bbox.left);
  const right = Math.min(plot.valToPos(toMs, "x", true), bbox.left + bbox.width);
  if (right <= left) return;
  const gap = 6 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.beginPath();
  for (let x = left - bbox.height; x < right; x += gap) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.globalAlpha = 0.55;
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.stroke();
  ctx.restore();
}

/** Fades everything from `fromMs` on, with a dashed border: these buckets are still filling. */
export function drawDimmed(plot: uPlot, fromMs: number, veil: string, border: string): void {
  const { ctx, bbox } = plot;
  // A little after the last final value, so that its own point stays bright.
  const left = plot.valToPos(fromMs, "x", true) + 3 * devicePixelRatio;
  const right = bbox.left + bbox.width;
  if (left >= right) return;
  ctx.save();
  ctx.globalAlpha = 0.65;
  ctx.fillStyle = veil;
  ctx.fillRect(left, bbox.top, right - left, bbox.height);
  ctx.globalAlpha = 1;
  ctx.beginPath();
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.strokeStyle = border;
  ctx.lineWidth = devicePixelRatio;
  ctx.stroke();
  ctx.restore();
}

/** A ribbon along the bottom: of this time a part was lost, so what is drawn above it is less than there was. */
export function drawRibbon(plot: uPlot, fromMs: number, toMs: number, color: string): void {
  const { ctx, bbox } = plot;
  const left = Math.max(plot.valToPos(fromMs, "x", true), bbox.left);
  const right = Math.min(plot.valToPos(toMs, "x", true), bbox.left + bbox.width);
  if (right <= left) return;
  const height = 5 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = color;
  ctx.fillRect(left, bbox.top + bbox.height - height, Math.max(right - left, 2 * devicePixelRatio), height);
  ctx.restore();
}

/** Shades value bands [low, high] behind the drawing. */
export function drawStripes(plot: uPlot, bands: readonly [number, number][], color: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = color;
  for (const [low, high] of bands) {
    const top = plot.valToPos(high, "y", true);
    ctx.fillRect(bbox.left, top, bbox.width, plot.valToPos(low, "y", true) - top);
  }
  ctx.restore();
}

/** A line over the whole height at a moment of note, with a small flag on top. */
export function drawMark(plot: uPlot, unixMs: number, color: string): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(unixMs, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const flag = 5 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x - flag, bbox.top);
  ctx.lineTo(x + flag, bbox.top);
  ctx.lineTo(x, bbox.top + flag);
  ctx.fill();
  ctx.restore();
}
