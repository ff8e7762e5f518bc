//! The times from edit to ConfigMap as a drawing: for each number of nodes, which
//! share of the edits was through after how long.

use std::fmt::Write as _;

use crate::figures::{Distribution, Figures};

const PANEL_WIDTH: f64 = 400.0;
const PANEL_HEIGHT: f64 = 240.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 112.0;
const GAP: f64 = 64.0;
/// Where what belongs to a panel begins, and the height of a line there.
const HEAD: f64 = 56.0;
const LINE: f64 = 18.0;
const BELOW: f64 = 56.0;
/// About how many steps the time axis has.
const STEPS: f64 = 5.0;
const GREY: &str = "#767676";
const BLUE: &str = "#0b62c4";
const ORANGE: &str = "#c4500b";

/// One curve.
struct Curve<'a> {
    label: String,
    colour: &'static str,
    times: &'a Distribution,
}

/// Draws an SVG.
pub fn draw(programs: &[Vec<Figures>]) -> String {
    let panels: Vec<(u32, Vec<Curve<'_>>)> = programs.first().map_or_else(Vec::new, |first| {
        let each = first.iter().enumerate();
        each.map(|(index, figures)| (figures.nodes, curves(programs, index)))
            .collect()
    });
    let slowest = panels.iter().flat_map(|(_, curves)| curves);
    let slowest = slowest
        .map(|curve| curve.times.percentile(99))
        .fold(0.0, f64::max);
    let step = step(slowest * 1.1 / STEPS);
    let end = (slowest * 1.1 / step).ceil() * step;
    let count = f64::from(u32::try_from(panels.len()).unwrap_or(1));
    let width = LEFT + count * (PANEL_WIDTH + GAP);
    let height = TOP + PANEL_HEIGHT + BELOW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"16\" font-weight=\"600\" fill=\"#111\">\
         From edit to ConfigMap: share of edits that were through after so many milliseconds</text>\n"
    );
    let mut left = LEFT;
    for (nodes, curves) in &panels {
        let panel = Panel { left, step, end };
        panel.draw(&mut svg, *nodes, curves);
        left += PANEL_WIDTH + GAP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn curves(programs: &[Vec<Figures>], index: usize) -> Vec<Curve<'_>> {
    let colours = [BLUE, ORANGE];
    let mut curves = Vec::new();
    for (program, colour) in programs.iter().zip(colours) {
        let Some(figures) = program.get(index) else {
            continue;
        };
        if curves.is_empty() {
            curves.push(Curve {
                label: "bare client".into(),
                colour: GREY,
                times: &figures.bare.latency_ms,
            });
        }
        curves.push(Curve {
            label: figures.subject.into(),
            colour,
            times: &figures.edits.latency_ms,
        });
    }
    curves
}

/// 1, 2 or 5 times a power of ten, not less than `least`.
fn step(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let fit = steps.into_iter().find(|step| step * power >= least * 0.999);
    fit.unwrap_or(10.0) * power
}

struct Panel {
    left: f64,
    step: f64,
    /// Where the time axis ends, in milliseconds.
    end: f64,
}

impl Panel {
    fn x(&self, time: f64) -> f64 {
        self.left + time / self.end * PANEL_WIDTH
    }

    fn draw(&self, svg: &mut String, nodes: u32, curves: &[Curve<'_>]) {
        self.grid(svg, nodes);
        let mut y = HEAD;
        for curve in curves {
            self.curve(svg, curve);
            self.legend(svg, curve, y);
            y += LINE;
        }
    }

    // Writing to a String cannot fail.
    fn grid(&self, svg: &mut String, nodes: u32) {
        let (left, right, bottom) = (self.left, self.left + PANEL_WIDTH, TOP + PANEL_HEIGHT);
        let _ = writeln!(
            svg,
            "<text x=\"{left}\" y=\"{HEAD}\" font-weight=\"600\" fill=\"#111\">{nodes} nodes</text>"
        );
        for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
            let y = height(percent / 100.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#e3e3e3\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>",
                left - 8.0,
                y + 4.0
            );
        }
        let mut time = 0.0;
        while time <= self.end * 1.001 {
            let x = self.x(time);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#e3e3e3\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                number(time)
            );
            time += self.step;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">ms</text>",
            bottom + 36.0
        );
    }

    /// A step up at each measurement; those beyond the axis are left out.
    fn curve(&self, svg: &mut String, curve: &Curve<'_>) {
        let values = curve.times.values();
        let all = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
        let mut path = format!("M{:.1} {:.1}", self.x(0.0), height(0.0));
        let mut last = 0.0;
        for (value, count) in values.iter().zip(1_u32..) {
            if *value > self.end {
                break;
            }
            last = f64::from(count) / all;
            let _ = write!(path, "H{:.1}V{:.1}", self.x(*value), height(last));
        }
        let _ = write!(path, "H{:.1}", self.x(self.end));
        let _ = writeln!(
            svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\">\
             <title>{}: {:.0} % within {} ms</title></path>",
            curve.colour,
            curve.label,
            last * 100.0,
            number(self.end)
        );
    }

    fn legend(&self, svg: &mut String, curve: &Curve<'_>, y: f64) {
        let x = self.left + PANEL_WIDTH;
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\" fill=\"{}\">{}: median {:.1} ms, 99th percentile {:.1} ms</text>",
            curve.colour,
            curve.label,
            curve.times.median(),
            curve.times.percentile(99)
        );
    }
}

fn height(share: f64) -> f64 {
    TOP + PANEL_HEIGHT * (1.0 - share)
}

/// A number without digits it does not need.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (least, expected) in [
            (0.7, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (3.0, 5.0),
            (60.0, 100.0),
            (0.0, 1.0),
        ] {
            assert!((step(least) - expected).abs() < 1e-9, "{least}: {}", step(least));
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 2.0, 2.5, 100.0].map(number), ["0", "2", "2.5", "100"]);
    }
}
