//! Tables as Go's `tabwriter` lays them out for the client: three blanks between columns, no column
//! narrower than ten.

const GAP: usize = 3;
const NARROWEST: usize = 10;

/// A table.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: &[&str]) -> Table {
        let head = columns.iter().map(|column| (*column).to_string()).collect();
        Table { rows: vec![head] }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], at: usize| row.get(at).map_or(0, |text| text.chars().count());
        let width = |at: usize| {
            let widest = self.rows.iter().map(|row| cell(row, at)).max();
            (widest.unwrap_or(0) + GAP).max(NARROWEST)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            for (at, text) in row.iter().enumerate() {
                match at + 1 == row.len() {
                    true => out += text,
                    false => out += &format!("{text:width$}", width = widths[at]),
                }
            }
            out.push('\n');
        }
        out
    }
}
