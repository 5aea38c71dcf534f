//! Charts as SVG, drawn here: bars with words on them, no script and no style of their own.

use std::fmt;

use askama::filters::HtmlSafe;

use super::page::Escaped;

/// Width and height of a chart's drawing, in its own units; the page stretches it.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 90.0;

/// One column: its words, its whole, and the part of it that is bad.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) words: String,
    pub(super) all: i64,
    pub(super) bad: i64,
}

/// Columns side by side, the highest as high as the chart.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// What is shown, for those who hear it.
    pub(super) label: String,
    /// The columns, from left to right.
    pub(super) columns: Vec<Column>,
}

impl Columns {
    /// The highest column.
    pub(super) fn most(&self) -> i64 {
        self.columns.iter().map(|column| column.all).max().unwrap_or(0)
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{}\">",
            Escaped(&self.label)
        )?;
        let step = WIDTH / self.columns.len().max(1) as f64;
        let most = self.most().max(1) as f64;
        for (at, column) in self.columns.iter().enumerate() {
            let x = step * at as f64 + step * 0.12;
            let width = step * 0.76;
            // What is there can be seen, however small it is.
            let high = |count: i64| {
                if count == 0 { 0.0 } else { (HEIGHT * count as f64 / most).max(1.5) }
            };
            let (all, bad) = (high(column.all), high(column.bad));
            write!(f, "<g><title>{}</title>", Escaped(&column.words))?;
            write!(
                f,
                "<rect class=\"room\" x=\"{:.1}\" y=\"0\" width=\"{step:.1}\" height=\"{HEIGHT}\"/>",
                step * at as f64
            )?;
            write!(
                f,
                "<rect class=\"all\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{all:.1}\"/>",
                HEIGHT - all
            )?;
            write!(
                f,
                "<rect class=\"bad\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{bad:.1}\"/></g>",
                HEIGHT - bad
            )?;
        }
        f.write_str("</svg>")
    }
}

impl HtmlSafe for Columns {}

/// A bar from the left, out of a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    pub(super) part: i64,
    pub(super) whole: i64,
    /// `all`, `good`, `warn` or `bad`.
    pub(super) class: &'static str,
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100.0 * self.part as f64 / self.whole.max(1) as f64;
        let share = if self.part > 0 { share.max(1.0) } else { 0.0 };
        write!(
            f,
            "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"room\" width=\"100\" height=\"8\"/>\
             <rect class=\"{}\" width=\"{share:.1}\" height=\"8\"/></svg>",
            self.class
        )
    }
}

impl HtmlSafe for Bar {}

/// When something happened within a whole: a bar that begins where it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) took: i64,
    pub(super) whole: i64,
    pub(super) bad: bool,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.whole.max(1) as f64;
        let x = (100.0 * self.from.max(0) as f64 / whole).min(99.0);
        let width = (100.0 * self.took as f64 / whole).max(1.0).min(100.0 - x);
        let class = if self.bad { "bad" } else { "all" };
        write!(
            f,
            "<svg class=\"bar span\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"room\" width=\"100\" height=\"8\"/>\
             <rect class=\"{class}\" x=\"{x:.1}\" width=\"{width:.1}\" height=\"8\"/></svg>"
        )
    }
}

impl HtmlSafe for Span {}

#[cfg(test)]
mod tests {
    use super::{Bar, Column, Columns};

    #[test]
    fn the_highest_column_fills_the_chart() {
        let column = |all, bad| Column { words: "<b>".into(), all, bad };
        let chart = Columns { label: "calls".into(), columns: vec![column(10, 0), column(5, 5)] };
        let svg = chart.to_string();
        assert!(svg.contains("height=\"90.0\"") && svg.contains("height=\"45.0\""), "{svg}");
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("style="), "{svg}");
        assert_eq!(chart.most(), 10);
        let empty = Columns { label: String::new(), columns: Vec::new() };
        assert!(empty.to_string().ends_with("</svg>"));
    }

    #[test]
    fn a_bar_is_a_share() {
        let bar = Bar { part: 1, whole: 4, class: "good" };
        assert!(bar.to_string().contains("width=\"25.0\""), "{bar}");
    }
}
