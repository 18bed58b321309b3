/**
 * How the editor looks. Colours and fonts are the page's custom properties, so that themes are
 * switched by the page alone.
 */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { StyleModule } from "style-mod";

/**
 * Has CodeMirror's styles adopted by the document as constructed style sheets. It would write them into
 * a `<style>` element, which the page's policy forbids, except in a shadow root; so the document is
 * shown to it without its head, as a shadow root is.
 */
export function adoptStyles(): void {
  const mount = StyleModule.mount;
  const headless = new Proxy(document, {
    get: (target, key) => (key === "head" ? undefined : Reflect.get(target, key, target)),
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  StyleModule.mount = (root, modules, options) =>
    mount(root === document ? headless : root, modules, options);
}

const theme = EditorView.theme({
  "&": {
    height: "100%",
    color: "var(--ink, CanvasText)",
    backgroundColor: "transparent",
    fontSize: "var(--code-size, 13.5px)",
  },
  "&.cm-focused": { outline: "none" },
  // Above the lines' backgrounds.
  "&:has(.cm-content:focus-visible)::after": {
    content: '""',
    position: "absolute",
    inset: "0",
    zIndex: "20",
    pointerEvents: "none",
    outline: "2px solid var(--accent, Highlight)",
    outlineOffset: "-2px",
  },
  ".cm-scroller": {
    fontFamily: "var(--mono, ui-monospace, monospace)",
    lineHeight: "var(--code-leading, 28px)",
    position: "relative",
  },
  ".cm-content": { caretColor: "var(--ink, CanvasText)", padding: "4px 0" },
  ".cm-line": { padding: "0 16px 0 8px" },
  ".cm-gutters": {
    backgroundColor: "transparent",
    color: "var(--soft, CanvasText)",
    border: "none",
  },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "26px", padding: "0 8px 0 0", fontSize: "12px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--sunk, transparent)" },

  ".lw-selected": {
    backgroundImage: "linear-gradient(90deg, var(--built-bg, transparent), transparent 70%)",
    boxShadow: "inset 3px 0 var(--built, Highlight)",
  },

  ".lw-noted": { display: "flow-root" },
  ".lw-note": {
    float: "right",
    marginLeft: "16px",
    fontFamily: "var(--sans, system-ui, sans-serif)",
    fontSize: "12px",
    userSelect: "none",
    color: "var(--soft, CanvasText)",
  },
  ".lw-note-strong": {
    color: "var(--built, CanvasText)",
    backgroundColor: "var(--built-bg, transparent)",
    borderRadius: "999px",
    padding: "0 10px",
    lineHeight: "22px",
    marginTop: "3px",
  },

  ".lw-status .cm-gutterElement": {
    display: "flex",
    justifyContent: "center",
    width: "22px",
    cursor: "pointer",
  },
  ".lw-mark": {
    width: "16px",
    height: "16px",
    // In the middle of the line's first row, should it wrap.
    marginTop: "calc((var(--code-leading, 28px) - 16px) / 2)",
    fill: "none",
    stroke: "currentColor",
    strokeWidth: "1.8",
    strokeLinecap: "round",
    strokeLinejoin: "round",
  },
  ".lw-mark-hit": { color: "var(--hit, CanvasText)" },
  ".lw-mark-miss, .lw-mark-depends": { color: "var(--built, CanvasText)" },
  ".lw-mark-failed": { color: "var(--fail, CanvasText)" },
  ".lw-mark-hit .lw-outline, .lw-mark-failed .lw-outline": { fill: "currentColor" },
  ".lw-mark-hit .lw-inside, .lw-mark-failed .lw-inside": { stroke: "var(--panel, Canvas)" },
  ".lw-mark-config": { color: "var(--soft, CanvasText)", strokeDasharray: "2.6 2.6" },
  ".lw-mark-skipped, .lw-mark-unknown": { color: "var(--soft, CanvasText)" },

  ".lw-handles .cm-gutterElement": { display: "flex", width: "24px" },
  ".lw-handle": {
    width: "24px",
    height: "var(--code-leading, 28px)",
    cursor: "grab",
    touchAction: "none",
    opacity: "0.65",
    // Two columns of three dots.
    padding: "calc((var(--code-leading, 28px) - 15px) / 2) 7px",
    boxSizing: "border-box",
    backgroundImage: "radial-gradient(circle, currentColor 1.2px, transparent 1.6px)",
    backgroundSize: "5px 5px",
    backgroundOrigin: "content-box",
    backgroundClip: "content-box",
  },
  ".lw-handle:hover": { opacity: "1" },
  "&.lw-dragging, &.lw-dragging .lw-handle": { cursor: "grabbing", userSelect: "none" },
  ".lw-drop": {
    position: "absolute",
    zIndex: "10",
    left: "0",
    right: "0",
    height: "2px",
    marginTop: "-1px",
    backgroundColor: "var(--accent, Highlight)",
    pointerEvents: "none",
  },

  ".cm-tooltip, .cm-panels": {
    color: "var(--ink, CanvasText)",
    backgroundColor: "var(--panel, Canvas)",
    borderColor: "var(--line, GrayText)",
    fontFamily: "var(--sans, system-ui, sans-serif)",
    fontSize: "13px",
  },
  ".cm-diagnosticAction": {
    color: "var(--accent-ink, Canvas)",
    backgroundColor: "var(--accent, Highlight)",
    borderRadius: "6px",
    padding: "3px 8px",
  },
  ".cm-diagnosticSource": { color: "var(--soft, CanvasText)", opacity: "1" },
});

const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.atom], color: "var(--accent, CanvasText)", fontWeight: "600" },
  { tag: [tags.string, tags.number], color: "var(--soft, CanvasText)" },
  { tag: [tags.comment, tags.meta], color: "var(--soft, CanvasText)", fontStyle: "italic" },
  { tag: [tags.variableName, tags.definition(tags.variableName)], color: "var(--ink, CanvasText)" },
  { tag: tags.invalid, color: "var(--fail, CanvasText)" },
]);

/** The look of every editor. */
export const look: Extension = [theme, syntaxHighlighting(highlighting)];
