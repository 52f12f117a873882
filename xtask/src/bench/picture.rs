//! Lines over the size of a table, drawn as SVG.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::growth::Line;

/// A picture of one or more panels, two beside each other.
pub struct Picture {
    pub title: String,
    pub panels: Vec<Panel>,
}

/// One pair of axes. The vertical one begins at zero, so that what looks flat is flat.
pub struct Panel {
    pub title: String,
    /// The objects that the number of destinations counts.
    pub across: &'static str,
    /// The unit of what is measured.
    pub up: &'static str,
    pub lines: Vec<PlotLine>,
}

/// A line, and who it belongs to.
pub struct PlotLine {
    pub label: String,
    pub points: Line,
    pub stroke: Stroke,
}

/// The style of a line.
#[derive(Clone, Copy)]
pub enum Stroke {
    /// Wide and gray, for others to lie upon.
    Ground,
    /// The color with this number.
    Color(usize),
}

/// Told apart by those who see no red or no green as well.
const COLORS: [RGBColor; 6] = [
    RGBColor(0, 90, 181),
    RGBColor(213, 94, 0),
    RGBColor(0, 128, 96),
    RGBColor(158, 42, 127),
    RGBColor(120, 90, 0),
    RGBColor(70, 70, 70),
];
const GROUND: RGBColor = RGBColor(176, 182, 190);
const GRID: RGBColor = RGBColor(226, 228, 232);
const FONT: &str = "sans-serif";
/// Of a panel, in pixels.
const SIZE: (u32, u32) = (480, 320);
const TITLE: u32 = 44;

impl Picture {
    /// Whether there is nothing to see.
    pub fn is_empty(&self) -> bool {
        self.panels.iter().flat_map(|panel| &panel.lines).all(|line| line.points.is_empty())
    }

    /// The text of an SVG file. It has a background of its own, for pages that are dark.
    pub fn svg(&self) -> Result<String> {
        let columns = self.panels.len().clamp(1, 2);
        let rows = self.panels.len().div_ceil(columns);
        let mut text = String::new();
        let size = (SIZE.0 * u32::try_from(columns)?, SIZE.1 * u32::try_from(rows)? + TITLE);
        {
            let paper = SVGBackend::with_string(&mut text, size).into_drawing_area();
            paper.fill(&WHITE)?;
            let body = paper.titled(&self.title, (FONT, 20))?;
            for (panel, area) in self.panels.iter().zip(body.split_evenly((rows, columns))) {
                panel.draw(&area)?;
            }
            paper.present()?;
        }
        Ok(text)
    }
}

impl Panel {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let widest = points().map(|point| point.0).fold(1.0, f64::max);
        let highest = points().map(|point| point.1).fold(0.001, f64::max);
        // The legend goes where the lines leave room for it.
        let is_high = points().all(|point| point.1 > 0.55 * highest);
        let (top, corner) = if is_high {
            (1.15 * highest, SeriesLabelPosition::LowerRight)
        } else {
            (1.35 * highest, SeriesLabelPosition::UpperLeft)
        };
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 16))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..widest * 1.03, 0.0..top)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .x_labels(6)
            .y_labels(7)
            .x_label_formatter(&|value| grouped(*value))
            .y_label_formatter(&|value| grouped(*value))
            .x_desc(self.across)
            .y_desc(self.up)
            .label_style((FONT, 13))
            .axis_desc_style((FONT, 14))
            .draw()?;
        for PlotLine { label, points, stroke } in &self.lines {
            let style = stroke.style();
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style))?
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
            if let Stroke::Color(_) = stroke {
                chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, style.filled())))?;
            }
        }
        chart
            .configure_series_labels()
            .position(corner)
            .margin(6)
            .legend_area_size(30)
            .background_style(WHITE.mix(0.85))
            .label_font((FONT, 13))
            .draw()?;
        Ok(())
    }
}

impl Stroke {
    fn style(self) -> ShapeStyle {
        match self {
            Self::Ground => GROUND.stroke_width(7),
            Self::Color(number) => COLORS[number % COLORS.len()].stroke_width(2),
        }
    }
}

/// A number of an axis, with its thousands apart.
pub fn grouped(value: f64) -> String {
    if value.fract().abs() > 0.001 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(title: &str, points: &Line) -> Panel {
        let line = |label: &str, stroke| PlotLine { label: label.to_owned(), points: points.clone(), stroke };
        Panel {
            title: title.to_owned(),
            across: "destinations",
            up: "bytes",
            lines: vec![line("floor", Stroke::Ground), line("ours", Stroke::Color(0))],
        }
    }

    #[test]
    fn picture_shows_titles_units_legends_and_points() {
        let points = vec![(1000.0, 200.0), (50_000.0, 180.0)];
        let panels = ["one", "two", "three"].map(|title| panel(title, &points)).into();
        let picture = Picture { title: "All <of> it".to_owned(), panels };
        let svg = picture.svg().unwrap();
        for text in ["All &lt;of&gt; it", "one", "two", "three", "destinations", "bytes", "floor", "ours", "50,000"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text} in {svg}");
        }
        assert!(svg.starts_with(r#"<svg width="960" height="684""#), "two rows of two");
        assert_eq!(svg.matches("<circle").count(), 6, "a mark for each point of ours, in each panel");
        assert!(svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg, picture.svg().unwrap(), "drawn again it is the same");
    }

    #[test]
    fn picture_without_points_is_empty_and_can_be_drawn() {
        let picture = Picture { title: String::new(), panels: vec![panel("none", &Vec::new())] };
        assert!(picture.is_empty());
        assert!(picture.svg().unwrap().contains("none"));
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [0.0, 5.0, 999.0, 1000.0, 100_000.0, 1.0e6].map(grouped),
            ["0", "5", "999", "1,000", "100,000", "1,000,000"]
        );
        assert_eq!(grouped(0.5), "0.5");
    }
}
