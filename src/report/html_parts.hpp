#pragma once
/// \file
/// What pages of HTML are made of; inside the library only.

#include <string>
#include <string_view>
#include <vector>

#include "report/escaped.hpp"

namespace serinus {
inline namespace v0 {
namespace report {

// Colours are named once, for the light and for the dark mode. Lines differ by their dashes as well.
inline constexpr std::string_view style_sheet = R"(<style>
:root{color-scheme:light dark;--ink:#1f2328;--quiet:#59636e;--line:#d1d9e0;--page:#fff;--card:#f6f8fa;--good:#1a7f37;--bad:#cf222e;--open:#8a5a00;--canary:#0969da;--baseline:#59636e}
@media(prefers-color-scheme:dark){:root{--ink:#f0f6fc;--quiet:#9198a1;--line:#3d444d;--page:#0d1117;--card:#151b23;--good:#3fb950;--bad:#f85149;--open:#d29922;--canary:#4493f8;--baseline:#9198a1}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1rem}h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:0}p{margin:.3rem 0}
header,article{border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;margin:.8rem 0;background:var(--card)}
header{border-left:.5rem solid var(--open)}header.good{border-left-color:var(--good)}header.bad{border-left-color:var(--bad)}
.word{font-size:1.8rem;font-weight:700;letter-spacing:.02em;margin:0}.good .word,b.good{color:var(--good)}.bad .word,b.bad{color:var(--bad)}.open .word,b.open{color:var(--open)}b.quiet,.quiet{color:var(--quiet)}
figure{margin:.6rem 0 0}figcaption{color:var(--quiet);font-size:.85rem}svg{display:block;width:100%;max-width:32rem;height:auto}
svg text{fill:var(--quiet);font:11px system-ui,sans-serif}.axis{stroke:var(--line);fill:none}.c{stroke:var(--canary);fill:none;stroke-width:2}.b{stroke:var(--baseline);fill:none;stroke-width:2;stroke-dasharray:5 3}.n{stroke:var(--bad);fill:none;stroke-dasharray:2 3}.s{stroke:var(--line);fill:none;stroke-dasharray:1 4}.r{stroke:var(--canary);stroke-width:6;opacity:.45}.e{fill:var(--canary);stroke:none}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:0 1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
summary{cursor:pointer;margin-top:1.6rem;font-weight:600}li{margin:.15rem 0}ul{padding-left:1.2rem;margin:.3rem 0}
@media print{body{background:#fff;color:#000}header,article{break-inside:avoid}details>*{display:block}}
</style>
)";

inline std::string paragraph(std::string_view text, std::string_view name = {}) {
    if (text.empty()) return "";
    return "<p" + (name.empty() ? "" : " class=\"" + std::string(name) + "\"") + ">" + in_markup(text) + "</p>\n";
}

inline std::string section(std::string_view title, const std::vector<std::string>& sentences) {
    if (sentences.empty()) return "";
    std::string out = "<h2>" + std::string(title) + "</h2>\n<ul>\n";
    for (const std::string& sentence : sentences) out += "<li>" + in_markup(sentence) + "</li>\n";
    return out + "</ul>\n";
}

inline std::string figure(const std::string& drawing, std::string_view caption) {
    return drawing.empty() ? ""
                           : "<figure>" + drawing + "<figcaption>" + in_markup(caption) + "</figcaption></figure>\n";
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
