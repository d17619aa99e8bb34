import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { t } from "../../i18n/translate.ts";
import { APDEX_GLYPHS, apdexGrade } from "../../ui/apdex-grade.ts";
import { score, text } from "../../ui/number-text.ts";
import type { DrawnMap, DrawnNode } from "./map-groups.ts";
import { mapLayout, type Place } from "./map-layout.ts";
import { figuresText, isFailing, nodeLink, nodeName } from "./map-names.ts";
import "../../i18n/en/map.ts";

const NODE_WIDTH = 200;
const NODE_HEIGHT = 50;
/** Three columns fit a window of 1,280 px. */
const COLUMN_WIDTH = 392;
const ROW_HEIGHT = 74;
const MARGIN = 6;
/** Beyond that only the lines of the node under the pointer are labelled. */
const MAX_LABELS = 30;

interface Point {
  x: number;
  y: number;
}

/** Apps and what they call, callers on the left. */
export function MapPicture({ map }: { map: DrawnMap }): JSX.Element {
  const [focus, setFocus] = useState<string | null>(null);
  const { places, lanesOf } = useMemo(
    () =>
      mapLayout(
        map.nodes.map(({ id }) => id),
        map.edges,
      ),
    [map],
  );
  const cornerAt = ({ column, row }: Place): Point => ({
    x: MARGIN + column * COLUMN_WIDTH,
    y: MARGIN + row * ROW_HEIGHT,
  });
  const corner = (id: string): Point => cornerAt(places.get(id) ?? { column: 0, row: 0 });
  const corners = [
    ...map.nodes.map(({ id }) => corner(id)),
    ...map.edges.flatMap((edge) => lanesOf(edge).map(cornerAt)),
  ];
  const width = Math.max(...corners.map(({ x }) => x)) + NODE_WIDTH + MARGIN;
  const height = Math.max(...corners.map(({ y }) => y)) + NODE_HEIGHT + MARGIN;
  const ports = portsOf(map.edges, (id) => corner(id).y);
  const touches = (edge: DrawnMap["edges"][number]): boolean => edge.from === focus || edge.to === focus;
  const callersOf = (node: DrawnNode): { app: string; totalTimeMs: number }[] =>
    map.edges
      .filter((edge) => edge.to === node.id)
      .map(({ from, totalTimeMs }) => ({
        app: map.nodes.find(({ id }) => id === from)?.app ?? "",
        totalTimeMs,
      }));
  return (
    <div class="map-frame" tabIndex={0} role="group" aria-label={t("map.title")}>
      <div class="map" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {map.edges.map((edge) => (
            <Line
              key={`${edge.from} ${edge.to}`}
              from={corner(edge.from)}
              to={corner(edge.to)}
              lanes={lanesOf(edge).map(cornerAt)}
              port={ports.get(edge) ?? 0.5}
              isFailing={isFailing(edge)}
              isFaded={focus !== null && !touches(edge)}
              label={
                focus === null
                  ? map.edges.length <= MAX_LABELS
                    ? figuresText(edge)
                    : ""
                  : touches(edge)
                    ? figuresText(edge)
                    : ""
              }
            />
          ))}
        </svg>
        {map.nodes.map((node) => (
          <Node
            key={node.id}
            node={node}
            at={corner(node.id)}
            href={nodeLink(node, callersOf(node))}
            onFocus={(isOn) => setFocus(isOn ? node.id : null)}
          />
        ))}
      </div>
    </div>
  );
}

/** Where on its side each line arrives, 0 to 1: those from above above the others. */
function portsOf(
  edges: DrawnMap["edges"],
  top: (id: string) => number,
): Map<DrawnMap["edges"][number], number> {
  const ports = new Map<DrawnMap["edges"][number], number>();
  for (const edge of edges) {
    const arriving = edges.filter(({ to }) => to === edge.to).sort((a, b) => top(a.from) - top(b.from));
    ports.set(edge, (arriving.indexOf(edge) + 1) / (arriving.length + 1));
  }
  return ports;
}

function Node(props: {
  node: DrawnNode;
  at: Point;
  href: string | null;
  onFocus: (isOn: boolean) => void;
}): JSX.Element {
  const { node, at, href, onFocus } = props;
  const name = nodeName(node);
  const grade =
    node.kind === "app" && node.apdex !== null
      ? `${APDEX_GLYPHS[apdexGrade(node.apdex)]} ${text(score(node.apdex))}`
      : "";
  const kind = node.kind === "app" ? t("map.kind.app") : node.system || t(`map.kind.${node.kind}`);
  const shared = {
    class: "map-node",
    style: { left: `${at.x}px`, top: `${at.y}px`, width: `${NODE_WIDTH}px`, height: `${NODE_HEIGHT}px` },
    title: `${kind} ${name}`,
    onPointerEnter: () => onFocus(true),
    onPointerLeave: () => onFocus(false),
    onFocus: () => onFocus(true),
    onBlur: () => onFocus(false),
  };
  const content = (
    <>
      <i class={`map-kind fill-${node.kind === "app" ? "code" : node.kind}`} aria-hidden="true" />
      <span class="map-name">
        <b class="clip">{name}</b>
        <small class="map-grade">{grade || kind}</small>
      </span>
      <small class={isFailing(node) ? "clip bad" : "clip"}>{figuresText(node)}</small>
    </>
  );
  return href === null ? (
    <div {...shared}>{content}</div>
  ) : (
    <a {...shared} href={href}>
      {content}
    </a>
  );
}

function Line(props: {
  from: Point;
  to: Point;
  lanes: readonly Point[];
  port: number;
  isFailing: boolean;
  isFaded: boolean;
  label: string;
}): JSX.Element {
  const start = { x: props.from.x + NODE_WIDTH, y: props.from.y + NODE_HEIGHT / 2 };
  const end = { x: props.to.x, y: props.to.y + NODE_HEIGHT * props.port };
  const isBack = end.x <= start.x;
  // A call back to the left leaves and arrives in a bow, so that it is not hidden behind the nodes between.
  const bow = isBack ? ROW_HEIGHT / 2 : 0;
  const path = isBack
    ? `M${start.x} ${start.y}C${start.x + 120} ${start.y + bow} ${end.x - 120} ${end.y + bow} ${end.x} ${end.y}`
    : wayThrough(start, props.lanes, end);
  // Where labels of lines to neighbouring nodes lie apart: near the called one.
  const middle = isBack
    ? { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 + bow * 0.75 }
    : { x: end.x - 12, y: end.y - 5 };
  return (
    <g class={props.isFaded ? "map-line map-faded" : "map-line"}>
      <path d={path} class={props.isFailing ? "map-failing" : undefined} />
      <path d={`M${end.x - 7} ${end.y - 4}L${end.x} ${end.y}L${end.x - 7} ${end.y + 4}`} class="map-head" />
      {props.label !== "" && (
        <text x={middle.x} y={middle.y} text-anchor={isBack ? "middle" : "end"}>
          {props.label}
        </text>
      )}
    </g>
  );
}

/** Straight along each lane, in bends between them. */
function wayThrough(start: Point, lanes: readonly Point[], end: Point): string {
  const along = lanes.map(({ x, y }) => {
    const middle = y + NODE_HEIGHT / 2;
    return { from: { x, y: middle }, to: { x: x + NODE_WIDTH, y: middle } };
  });
  const stops = [...along, { from: end, to: end }];
  let at = start;
  const bends = stops.map(({ from, to }) => {
    const half = Math.max(50, (from.x - at.x) / 2);
    const bend = `C${at.x + half} ${at.y} ${from.x - half} ${from.y} ${from.x} ${from.y}L${to.x} ${to.y}`;
    at = to;
    return bend;
  });
  return `M${start.x} ${start.y}${bends.join("")}`;
}
