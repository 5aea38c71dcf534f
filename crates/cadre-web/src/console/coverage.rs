//! `/env/{env}/coverage`: which tool offers which models and actions.

use askama::Template;
use axum::extract::State;
use cadre_model::action::actions;
use cadre_model::registry;

use super::page::{Shown, html};
use super::shell::{Here, Shell};
use crate::api::integrations::field_names;
use crate::gate;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "coverage.html")]
struct CoveragePage {
    shell: Shell,
    category: String,
    categories: Vec<&'static str>,
    tools: Vec<ToolOut>,
    models: Vec<LineOut>,
    actions: Vec<LineOut>,
}

#[derive(Debug)]
struct ToolOut {
    id: String,
    label: String,
}

/// One row of the grid: a model or an action, and what each tool has of it.
#[derive(Debug)]
struct LineOut {
    id: &'static str,
    label: &'static str,
    cells: Vec<Option<Cell>>,
}

#[derive(Debug)]
struct Cell {
    filled: usize,
    of: usize,
    words: String,
}

/// Shows the grid of a category.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    let mut categories: Vec<&'static str> =
        registry::models().iter().map(|model| model.category.as_str()).collect();
    categories.sort_unstable();
    categories.dedup();
    categories.reverse();
    let asked = here.asked("category").unwrap_or_default().to_ascii_uppercase();
    let known = categories.iter().find(|known| **known == asked);
    let category = known.or_else(|| categories.iter().find(|known| **known == "HRIS"));
    let category = category.copied().unwrap_or_default();
    let tools: Vec<ToolOut> = state
        .catalog
        .entries()
        .filter(|entry| {
            entry.connector.manifest().categories.iter().any(|own| own.as_str() == category)
        })
        .map(|entry| ToolOut {
            id: entry.tool().to_owned(),
            label: entry.connector.manifest().label.clone(),
        })
        .collect();
    let page = CoveragePage {
        shell: here.shell("coverage"),
        models: models(&state, category, &tools),
        actions: actions_of(&state, category, &tools),
        category: category.to_owned(),
        categories,
        tools,
    };
    Ok(html(&page))
}

fn models(state: &AppState, category: &str, tools: &[ToolOut]) -> Vec<LineOut> {
    let of_category = registry::models().iter().filter(|model| model.category.as_str() == category);
    let lines = of_category.map(|model| {
        let names: Vec<&str> = field_names(model).collect();
        let cells = tools.iter().map(|tool| {
            let coverage = state.coverage(&tool.id)?;
            let fields = coverage.get(model.id)?;
            let filled = names.iter().filter(|name| fields.contains(**name)).count();
            let words =
                format!("{}: {filled} of {} fields of {}", tool.label, names.len(), model.label);
            Some(Cell { filled, of: names.len(), words })
        });
        LineOut { id: model.id, label: model.label, cells: cells.collect() }
    });
    lines.collect()
}

fn actions_of(state: &AppState, category: &str, tools: &[ToolOut]) -> Vec<LineOut> {
    let of_category = actions().filter(|action| action.category.as_str() == category);
    let lines = of_category.map(|action| {
        let cells = tools.iter().map(|tool| {
            let can = gate::can_do(state, &tool.id, action.id);
            can.then(|| Cell {
                filled: 0,
                of: 0,
                words: format!("{}: {}", tool.label, action.label),
            })
        });
        LineOut { id: action.id, label: action.label, cells: cells.collect() }
    });
    lines.collect()
}
