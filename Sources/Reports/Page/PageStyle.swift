extension HTML {
    /// The page's style: the system's fonts, light or dark as the reader has it, and narrow screens too. Colours keep a
    /// contrast of at least 4.5 (WCAG 2.2 AA) in both.
    static let pageStyle = style(
        """
        :root { color-scheme: light dark; --ground: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de;
          --card: #f6f8fa; --bad: #a40e26; --good: #116329; --warn: #7d4e00; --mark: #0550ae;
          --preactivation: #8250df; --active: #1a7f37; --deactivated: #6e7781; --compromised: #cf222e;
          --archived: #afb8c1; --destroyed: #24292f; }
        @media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --quiet: #9198a1;
          --line: #3d444d; --card: #161b22; --bad: #ff7b72; --good: #56d364; --warn: #e3b341; --mark: #79c0ff;
          --preactivation: #a371f7; --active: #3fb950; --deactivated: #8b949e; --compromised: #f85149;
          --archived: #484f58; --destroyed: #c9d1d9; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--ground); color: var(--text);
          font: 1rem/1.5 system-ui, sans-serif; }
        h1 { font-size: 1.6rem; margin: 0.2rem 0; overflow-wrap: anywhere; }
        h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
        p, ul { margin: 0.4rem 0; }
        .quiet { color: var(--quiet); }
        .bad { color: var(--bad); font-weight: 600; }
        .good { color: var(--good); font-weight: 600; }
        .warn { color: var(--warn); }
        dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.6rem; margin: 1rem 0; }
        dl div { background: var(--card); border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.5rem 0.7rem; }
        dt { color: var(--quiet); font-size: 0.85rem; }
        dd { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
        caption { text-align: left; color: var(--quiet); padding: 0.3rem 0; }
        th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
        td.number, th.number { text-align: right; }
        td.name { overflow-wrap: anywhere; min-width: 12rem; }
        bdi { unicode-bidi: isolate; overflow-wrap: anywhere; }
        figure { margin: 1rem 0; }
        figcaption { color: var(--quiet); font-size: 0.9rem; overflow-wrap: anywhere; }
        .timeline { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 0.7rem; align-items: center; }
        .timeline svg { display: block; width: 100%; height: 0.9rem; }
        .curve svg { display: block; width: 100%; height: 7rem; border-bottom: 1px solid var(--line); }
        .curve .area { fill: var(--mark); fill-opacity: 0.25; }
        .curve .line { fill: none; stroke: var(--mark); stroke-width: 2; }
        .ends { display: flex; justify-content: space-between; flex-wrap: wrap; }
        .timeline, .curve { font-size: 0.85rem; }
        td.time { white-space: nowrap; }
        .preactivation { fill: var(--preactivation); } .active { fill: var(--active); }
        .deactivated { fill: var(--deactivated); } .compromised { fill: var(--compromised); }
        .archived { fill: var(--archived); } .destroyed { fill: var(--destroyed); }
        .key { display: inline-block; margin-right: 1rem; white-space: nowrap; }
        .key svg { display: inline-block; width: 0.8rem; height: 0.8rem; margin-right: 0.3rem; }
        @media print { body { max-width: none; } }

        """)
}
