//! Prints figures as tables, for terminals and in Markdown.
//!
//! Does not compute any.

use crate::score::Score;

/// Cells in rows below a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table; its rows have as many cells as the header.
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|cell| cell.to_string()).collect(), rows: Vec::new() }
    }

    /// The header of tables of scores: the means are geometric; figures in brackets count units, those of accuracy launches.
    pub fn of_scores() -> Self {
        Self::new(&[
            "policy",
            "mean",
            "contested (of)",
            "sums",
            "5th percentile",
            "worst",
            "worst sliceable (of)",
            "accuracy (of)",
            "units",
            "launches",
        ])
    }

    /// Adds a row; missing cells are empty, and what is too many is dropped.
    pub fn row(&mut self, cells: Vec<String>) -> &mut Self {
        let mut cells = cells;
        cells.resize(self.header.len(), String::new());
        self.rows.push(cells);
        self
    }

    /// Adds a policy's score, in per cent of the oracle's speed.
    ///
    /// ```
    /// use warpweft_evaluation::{Score, Table};
    /// let score = Score {
    ///     units: 2,
    ///     launches: 20,
    ///     geometric_mean: 0.905,
    ///     contested: None,
    ///     ratio_of_sums: 0.99,
    ///     fifth_percentile: 0.5,
    ///     worst: 0.5,
    ///     worst_sliceable: None,
    ///     accuracy: Some((0.75, 8)),
    /// };
    /// let text = Table::of_scores().score("mine", &score).markdown();
    /// assert!(text.ends_with("| mine | 90.5 | - | 99.0 | 50.0 | 50.0 | - | 75.0 (8) | 2 | 20 |\n"));
    /// ```
    pub fn score(&mut self, name: &str, score: &Score) -> &mut Self {
        let percent = |part: f64| format!("{:.1}", 100.0 * part);
        let counted = |figure: Option<(f64, usize)>| {
            figure.map_or("-".into(), |(part, of)| format!("{} ({of})", percent(part)))
        };
        self.row(vec![
            name.into(),
            percent(score.geometric_mean),
            counted(score.contested),
            percent(score.ratio_of_sums),
            percent(score.fifth_percentile),
            percent(score.worst),
            counted(score.worst_sliceable),
            counted(score.accuracy),
            score.units.to_string(),
            score.launches.to_string(),
        ])
    }

    /// For a terminal: the first column to the left, figures to the right.
    pub fn text(&self) -> String {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let width = |column: usize| lines().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cell = |(column, (cell, width)): (usize, (&String, &usize))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            };
            let cells: Vec<String> = row.iter().zip(&widths).enumerate().map(cell).collect();
            format!("{}\n", cells.join("  ").trim_end())
        };
        lines().map(line).collect()
    }

    /// For a document.
    pub fn markdown(&self) -> String {
        let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
        let rule = vec!["---".to_string(); self.header.len()];
        std::iter::once(&self.header).chain([&rule]).chain(&self.rows).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_cell_is_lost() {
        let mut table = Table::new(&["policy", "speed"]);
        table.row(vec!["Prüfling".into(), "9.0".into()]).row(vec!["b".into()]);
        assert_eq!(table.text(), "policy    speed\nPrüfling    9.0\nb\n");
        assert_eq!(table.markdown(), "| policy | speed |\n| --- | --- |\n| Prüfling | 9.0 |\n| b |  |\n");
    }
}
