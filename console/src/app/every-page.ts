/**
 * What nearly every page shows, in one chunk. Each loaded part of the console imports this file (build.mjs sees to it), so that the
 * bundler need not cut these modules by who happens to use which: small pieces compress badly.
 */
import "./comparison.ts";
import "./copy-link.tsx";
import "./lazy-page.tsx";
import "./location.ts";
import "./navigation.tsx";
import "./page-frame.tsx";
import "./preference.ts";
import "./refresh.ts";
import "./routes.ts";
import "./server-state.ts";
import "./short-data.ts";
import "./shortcuts.ts";
import "./theme.ts";
import "./time-picker.tsx";
import "./time-range.ts";
import "./url-state.ts";
import "../data/columns.ts";
import "../data/get-json.ts";
import "../data/paths.ts";
import "../data/use-answer.ts";
import "../ui/action-name.tsx";
import "../ui/ago-text.ts";
import "../ui/apdex-chip.tsx";
import "../ui/apdex-grade.ts";
import "../ui/card.tsx";
import "../ui/change.tsx";
import "../ui/completeness-chip.tsx";
import "../ui/completeness-hint.tsx";
import "../ui/crash-guard.tsx";
import "../ui/icon.tsx";
import "../ui/kpi.tsx";
import "../ui/meter.tsx";
import "../ui/number-text.ts";
import "../ui/share-bar.tsx";
import "../ui/short-data-hint.tsx";
import "../ui/states.tsx";
import "../ui/table.tsx";
import "../ui/tabs.tsx";
import "../ui/time-text.ts";
import "../chart/sparkline.tsx";
import "../chart/colors.ts";
import "../chart/stack.ts";
import "../chart/end-marks.ts";
import "../pages/home/worst-first.ts";
