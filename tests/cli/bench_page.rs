//! The page of `wrun bench --html`, also in a browser if there is one.

use std::fs;
use std::path::Path;

use crate::vocabulary::{CALC, Command, printed, run, skipped};

/// Measures, and returns the page.
fn page(folder: &Path, module: &str) -> String {
    let (module, page) = (folder.join(module), folder.join("page.html"));
    fs::write(&module, CALC).unwrap();
    let (module, page) = (module.to_str().unwrap(), page.to_str().unwrap());
    let printed = run(&["bench", "--time=20ms", "--html", page, module, "add", "5", "3"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    fs::read_to_string(page).unwrap()
}

#[test]
fn the_page_loads_nothing_and_runs_no_script() {
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), "calc.wat");
    for part in ["http:", "https:", "//", "src=", "url(", "@import", "<script", "<link", " on"] {
        let tags = page.split('<').filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag);
        assert!(!tags.into_iter().any(|tag| tag.contains(part)), "{part}");
    }
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(!style.contains("url(") && !style.contains("@import"));
}

#[test]
fn every_plot_has_a_text_and_every_phase_a_heading() {
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), "calc.wat");
    assert_eq!(page.matches("<svg").count(), page.matches("<svg role=\"img\" aria-label=\"").count());
    for phase in ["load", "compile", "cache-load", "instantiate", "first-call", "call"] {
        assert!(page.contains(&format!("href=\"#{phase}\"")) && page.contains(&format!("<h2 id=\"{phase}-title\">")));
    }
}

#[test]
fn names_are_text_not_markup() {
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), "<b>&\"\u{202e}.wat");
    assert!(page.contains("&lt;b&gt;&amp;&quot;\\u{202e}.wat") && !page.contains("<b>&"));
}

/// Loads the page in a browser, in a frame of this width. Returns by how much the page is too wide, its background, the number of plots
/// that are too narrow, the number of elements that the keyboard cannot reach or that show no focus, whether a click opens
/// details, how much too wide the page is then, and the number of errors.
fn shown(browser: &str, page: &str, width: u32, scheme: &str, folder: &Path) -> String {
    let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
    let frame = format!(
        "<iframe id=\"frame\" width=\"{width}\" height=\"700\" style=\"border: 0\" srcdoc=\"{quoted}\"></iframe>
         <script>
         let errors = 0;
         addEventListener('error', () => errors++, true);
         addEventListener('load', () => {{
             const inner = document.getElementById('frame').contentDocument, root = inner.documentElement;
             const style = inner.defaultView.getComputedStyle(inner.body);
             const hidden = [...inner.querySelectorAll('section svg')].filter(svg => svg.clientWidth < 100).length;
             const excess = () => root.scrollWidth - root.clientWidth, closed = excess();
             const first = inner.querySelector('summary');
             first.click();
             const opened = first.parentElement.open;
             inner.querySelectorAll('details').forEach(details => details.open = true);
             const dead = [...inner.querySelectorAll('a, summary, .scroll')].filter(element => {{
                 element.focus();
                 const outline = inner.defaultView.getComputedStyle(element).outlineStyle;
                 return element.tabIndex != 0 || inner.activeElement != element || outline != 'solid';
             }}).length;
             document.title = [closed, style.backgroundColor, hidden, dead, opened, excess(), errors].join('|');
         }});
         </script>"
    );
    let path = folder.join("frame.html");
    fs::write(&path, frame).unwrap();
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let url = format!("file://{}", path.display());
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]);
    command.args([&profile, &format!("--blink-settings=preferredColorScheme={scheme}"), &url]);
    let dom = printed(&command.output().unwrap());
    let title = dom.stdout.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.unwrap_or_else(|| panic!("{dom:?}")).0.to_owned()
}

#[test]
fn a_browser_shows_it_light_and_dark_and_as_narrow_as_a_phone() {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        let version = std::process::Command::new(name).arg("--version").output();
        version.is_ok_and(|version| version.status.success())
    });
    let Some(browser) = found else { return skipped("no Chromium is installed") };
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), "a-module-with-a-rather-long-name-for-the-screen-of-a-phone.wat");
    let dark = "0";
    let light = "1";
    for (scheme, background) in [(light, "rgb(251, 251, 250)"), (dark, "rgb(20, 22, 26)")] {
        for width in [360, 1000] {
            let found = shown(browser, &page, width, scheme, folder.path());
            assert_eq!(found, format!("0|{background}|0|0|true|0|0"), "{width}");
        }
    }
}
