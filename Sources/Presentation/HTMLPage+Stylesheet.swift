extension HTMLPage {
    /// Inline CSS; the figures' classes are here too, so that one set of colours serves light and dark.
    static let stylesheet = """
        :root { color-scheme: light dark; --paper: #ffffff; --ink: #1a1f26; --muted: #5c6773; --rule: #d8dee6;
          --wash: #f4f6f8; --ok: #00735a; --warn: #a15c00; --bad: #b3261e; \(variables(SeriesColour.light)) }
        @media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e6eaef; --muted: #9aa7b4;
          --rule: #333c46; --wash: #1d232a; --ok: #3fcf9f; --warn: #f0b35a; --bad: #ff8a80;
          \(variables(SeriesColour.dark)) } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 1240px; padding: 0 24px 48px; background: var(--paper); color: var(--ink);
          font: 16px/1.55 "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", system-ui, sans-serif; }
        header { padding: 32px 0 16px; border-bottom: 1px solid var(--rule); }
        h1 { font-size: 30px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; text-wrap: balance; }
        header p { margin: 8px 0 0; color: var(--muted); font-size: 17px; }
        h2 { font-size: 22px; line-height: 1.3; margin: 40px 0 12px; }
        h3 { font-size: 17px; margin: 28px 0 8px; }
        p, li { max-width: 46em; overflow-wrap: anywhere; }
        p { margin: 0 0 12px; }
        a { color: var(--c0); }
        .columns { display: grid; grid-template-columns: 176px minmax(0, 1fr); gap: 40px; }
        nav { font-size: 14px; line-height: 1.35; }
        nav ul { position: sticky; top: 20px; list-style: none; margin: 44px 0 0; padding: 0; }
        nav li { margin: 0; border-left: 2px solid var(--rule); }
        nav a { display: block; padding: 5px 0 5px 12px; color: var(--muted); text-decoration: none; }
        nav a:hover, nav a:focus { color: var(--ink); text-decoration: underline; }
        section { scroll-margin-top: 12px; }
        pre { background: var(--wash); border-radius: 6px; padding: 12px 14px; overflow-x: auto;
          font: 13.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
        .callout { border-left: 5px solid var(--muted); background: var(--wash); border-radius: 0 6px 6px 0;
          padding: 12px 16px; margin: 16px 0; }
        .callout p { margin: 4px 0 0; }
        .callout.ok { border-color: var(--ok); } .callout.ok strong { color: var(--ok); }
        .callout.warn { border-color: var(--warn); } .callout.warn strong { color: var(--warn); }
        .callout.bad { border-color: var(--bad); } .callout.bad strong { color: var(--bad); }
        .callout.ok strong::before { content: "✓  "; } .callout.warn strong::before { content: "!  "; }
        .callout.bad strong::before { content: "✗  "; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
          margin: 16px 0; }
        .tile { background: var(--wash); border-radius: 8px; padding: 12px 16px; border-top: 3px solid var(--rule); }
        .tile.ok { border-color: var(--ok); } .tile.warn { border-color: var(--warn); }
        .tile.bad { border-color: var(--bad); }
        .tile dt { font-size: 13.5px; color: var(--muted); } .tile dd { margin: 0; font-size: 26px; font-weight: 600;
          line-height: 1.25; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        .tile .detail { font-size: 13.5px; font-weight: 400; color: var(--muted); }
        .table { overflow-x: auto; margin: 16px 0; }
        table { border-collapse: collapse; font-size: 14.5px; line-height: 1.4; }
        caption { text-align: left; color: var(--muted); padding: 0 0 6px; }
        th { text-align: left; font-weight: 600; border-bottom: 2px solid var(--rule); vertical-align: bottom; }
        th, td { padding: 5px 18px 5px 0; } th:last-child, td:last-child { padding-right: 4px; }
        td { border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; min-width: 3em; }
        td:first-child { overflow-wrap: break-word; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
        .unit { font-weight: 400; color: var(--muted); }
        details { margin: 12px 0; } summary { cursor: pointer; color: var(--c0); }
        figure { margin: 24px 0; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 390px), 1fr));
          gap: 8px 28px; align-items: start; }
        .figures figure { margin: 12px 0; }
        svg { display: block; width: 100%; height: auto; overflow: visible; }
        figcaption { font-size: 14.5px; line-height: 1.45; color: var(--muted); margin-top: 8px; max-width: 52em; }
        figcaption strong { color: var(--ink); }
        footer { margin-top: 48px; padding-top: 12px; border-top: 1px solid var(--rule); color: var(--muted);
          font-size: 13.5px; overflow-wrap: anywhere; }
        svg text { font-family: inherit; fill: var(--ink); font-size: 13px; }
        svg .label { font-size: 12.5px; } svg .name { font-size: 13.5px; }
        svg .tick { font-size: 11.5px; fill: var(--muted); font-variant-numeric: tabular-nums; }
        svg .strong { font-weight: 600; }
        svg .onimage { font-size: 10px; fill: #ffffff; stroke: #000000; stroke-opacity: 0.65; stroke-width: 2.5px;
          stroke-linejoin: round; paint-order: stroke; }
        svg .onpaper { font-size: 10px; fill: #1a1f26; stroke: #ffffff; stroke-opacity: 0.8; stroke-width: 2.5px;
          stroke-linejoin: round; paint-order: stroke; }
        svg .badge { font-size: 11px; font-weight: 600; fill: #ffffff; }
        svg .badge-box { fill: #000000; fill-opacity: 0.8; }
        svg .grid { stroke: var(--rule); stroke-width: 1; }
        svg .axis { stroke: var(--muted); stroke-width: 1; }
        svg .frame { stroke: var(--muted); stroke-width: 1; }
        svg .gap { stroke: var(--paper); stroke-width: 2.5; } svg .gap.thin { stroke-width: 1; }
        svg .curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
        svg .reference { fill: none; stroke: var(--muted); stroke-width: 1.3; stroke-dasharray: 5 4; }
        svg .marker { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 2 3; }
        svg .whisker { stroke: var(--ink); stroke-width: 1.5; }
        svg .region { fill: none; stroke: #ffffff; stroke-width: 1.6; }
        svg .region-halo { fill: none; stroke: #000000; stroke-width: 3.6; stroke-opacity: 0.75; }
        @media (max-width: 860px) { .columns { display: block; } nav ul { position: static; margin: 12px 0 0; } }
        @media print { :root { --paper: #ffffff; --ink: #000000; --muted: #444444; --rule: #cccccc; --wash: #f4f6f8;
          --ok: #00735a; --warn: #a15c00; --bad: #b3261e; \(variables(SeriesColour.light)) }
          body { max-width: none; padding: 0; font-size: 11pt; } nav { display: none; } .columns { display: block; }
          figure, .callout, .tile, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
          details::details-content { content-visibility: visible; height: auto; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
        """

    private static func variables(_ colours: [String]) -> String {
        colours.enumerated().map { "--c\($0): \($1);" }.joined(separator: " ")
    }
}
