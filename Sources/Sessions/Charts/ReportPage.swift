/// The frame of a report: style sheet and the script that links the charts' cursors.
enum ReportPage {
  /// One file that needs no other: the browser is told to load nothing.
  static func html(title: String, body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(Markup.escaped(title)) · Seismo</title>
    <style>
    \(styles)
    \(Palette.styles)
    </style>
    </head>
    <body>
    \(body)
    <script>
    \(script)
    </script>
    </body>
    </html>

    """
  }

  private static let styles = """
    :root{--page:#fbfbfa;--card:#fff;--ink:#24292f;--soft:#57606a;--line:#d8dee4}
    @media (prefers-color-scheme:dark){
    :root{--page:#101418;--card:#161b22;--ink:#dfe5ec;--soft:#97a3b0;--line:#2c343d}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--ink);
    font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    header,main,footer{max-width:1040px;margin:0 auto;padding:0 20px}
    header{padding-top:32px}
    h1{font-size:28px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
    h2{font-size:18px;margin:36px 0 12px}
    p{margin:0;color:var(--soft)}
    .figures{display:flex;flex-wrap:wrap;gap:10px 32px;margin:20px 0 0;padding:0}
    .figures div{min-width:90px}
    .figures dt{color:var(--soft);font-size:13px}
    .figures dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
    figure{margin:0 0 16px;padding:14px 8px 6px;background:var(--card);
    border:1px solid var(--line);border-radius:8px;position:relative}
    figure svg{display:block;width:100%;height:auto;color:var(--ink)}
    .seismo .m,.seismo .k{fill:var(--soft)}
    .cursor{stroke:var(--ink);stroke-opacity:.55;stroke-width:1}
    .readout{font-size:12px;color:var(--soft);min-height:19px;padding:0 8px 0 58px;
    font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
    .readout b{color:var(--ink);font-weight:600}
    .wide{overflow-x:auto}
    table{border-collapse:collapse;width:100%;font-size:14px}
    th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);
    vertical-align:top;overflow-wrap:anywhere}
    th{color:var(--soft);font-weight:600}
    td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    td.w{white-space:nowrap}
    td small{display:block;color:var(--soft);font-size:13px}
    .two{columns:2 360px;column-gap:40px}
    .two div{display:flex;gap:12px;break-inside:avoid;border-bottom:1px solid var(--line);
    padding:3px 0;font-size:14px}
    .two dt{flex:1;color:var(--soft);overflow-wrap:anywhere}
    .two dd{margin:0;text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:anywhere;
    max-width:65%}
    dl{margin:0}
    .kind-alarm .w:nth-child(2){color:\(Palette.marks[1])}
    .kind-set .w:nth-child(2){color:\(Palette.marks[2])}
    .kind-diverged .w:nth-child(2),.kind-fault .w:nth-child(2){color:\(Palette.marks[3])}
    footer{margin-top:40px;padding-bottom:40px;font-size:13px;color:var(--soft)}
    @media print{figure{break-inside:avoid}}
    """

  /// One cursor over all charts: each says what it shows at that step.
  private static let script = """
    (function () {
      var charts = Array.prototype.map.call(document.querySelectorAll("figure[data-first]"),
        function (figure) {
          var data = figure.querySelector("script"), svg = figure.querySelector("svg");
          var line = document.createElementNS(svg.namespaceURI, "path");
          line.setAttribute("class", "cursor");
          svg.appendChild(line);
          return { figure: figure, svg: svg, cursor: line, out: figure.querySelector(".readout"),
            first: +figure.dataset.first, last: +figure.dataset.last,
            height: svg.viewBox.baseVal.height, lines: data ? JSON.parse(data.textContent) : [] };
        });
      var left = \(Int(ChartFrame.left)), right = \(Int(ChartFrame.right));
      function at(line, step) {
        var low = 0, high = line.steps.length;
        while (low < high) {
          var middle = (low + high) >> 1;
          if (line.steps[middle] <= step) { low = middle + 1; } else { high = middle; }
        }
        return low ? line.values[low - 1] : null;
      }
      function show(step) {
        charts.forEach(function (chart) {
          var share = (step - chart.first) / Math.max(1, chart.last - chart.first);
          var x = left + (right - left) * share;
          chart.cursor.setAttribute("d", "M" + x + " \(Int(ChartFrame.top))V" + (chart.height - 34));
          chart.out.textContent = "step " + step.toLocaleString("en");
          chart.lines.forEach(function (line) {
            var value = at(line, step);
            if (value === null) { return; }
            chart.out.append("  " + line.label + " ");
            var number = document.createElement("b");
            number.textContent = Number(value.toPrecision(5)).toString();
            chart.out.append(number);
          });
        });
      }
      charts.forEach(function (chart) {
        chart.svg.addEventListener("pointermove", function (event) {
          var box = chart.svg.getBoundingClientRect();
          var x = (event.clientX - box.left) / box.width * \(Int(ChartFrame.width));
          var share = Math.min(1, Math.max(0, (x - left) / (right - left)));
          show(Math.round(chart.first + share * (chart.last - chart.first)));
        });
      });
    })();
    """
}
