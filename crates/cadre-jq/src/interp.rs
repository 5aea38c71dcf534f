//! Running an expression in jaq, within limits.

use std::cell::Cell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jaq_core::box_iter::box_once;
use jaq_core::compile::Undefined;
use jaq_core::data::HasLut;
use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::{self, v};
use jaq_core::{Bind, Compiler, Ctx, Cv, DataT, Exn, Filter, Lut, Native};
use jaq_json::{Num, Val};
use serde_json::Value;

use crate::error::{CompileError, EvalError};
use crate::guard::{self, CHECK, TICK};
use crate::prelude;
use crate::tree::Term;
use crate::value;
use crate::vars::{VARIABLES, Vars};

/// An expression compiled by jaq.
pub(crate) struct Program {
    filter: Filter<Jaq>,
    /// Which of [`VARIABLES`] it uses: only these are converted.
    used: Vec<usize>,
}

/// What jaq's filters work on.
struct Jaq;

impl DataT for Jaq {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

/// What jaq's filters can reach beside their input.
#[derive(Clone, Copy)]
struct Data<'a> {
    lut: &'a Lut<Jaq>,
    steps: &'a Cell<u64>,
}

impl<'a> HasLut<'a, Jaq> for Data<'a> {
    fn lut(&self) -> &'a Lut<Jaq> {
        self.lut
    }
}

/// Exit codes that stand for our limits: an exit is the one thing that `try` cannot catch.
const STEPS: i32 = 1;
const SIZE: i32 = 2;
const DEPTH: i32 = 3;

/// Depth is looked at once in so many checks: looking costs as much as the value is large.
const DEPTH_EVERY: u64 = 64;

/// Name of the definition that holds the expression.
const MAIN: &str = "cadre_main";

impl Program {
    /// Compiles a tree that `tree::check` has passed.
    pub(crate) fn compile(term: &Term<'_>, code: &str) -> Result<Program, CompileError> {
        let body = guard::guard(term.clone());
        let mut definitions: Vec<Def<&str>> = prelude::needed(&body);
        let used = crate::tree::check(term, code)?;
        definitions.push(Def { name: MAIN, args: Vec::new(), body });
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: MAIN, path: () })
            .map_err(|_| CompileError::new("the expression cannot be loaded", 0))?;
        let filter = Compiler::default()
            .with_funs(functions())
            .with_global_vars(VARIABLES.iter().copied())
            .compile(modules)
            .map_err(|errors| {
                let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
                undefined(first, code)
            })?;
        let used = used.into_iter().filter_map(crate::vars::index).collect();
        Ok(Program { filter, used })
    }

    /// Hands every output to `take`, until it says `false`.
    pub(crate) fn run(
        &self,
        input: &Value,
        vars: &Vars<'_>,
        take: &mut dyn FnMut(Value) -> bool,
    ) -> Result<(), EvalError> {
        // jaq still panics on a few odd inputs (the length of the smallest integer, for one).
        catch_unwind(AssertUnwindSafe(|| self.run_in_jaq(input, vars, take)))
            .unwrap_or_else(|_| Err(EvalError::new("jaq failed on this input")))
    }

    fn run_in_jaq(
        &self,
        input: &Value,
        vars: &Vars<'_>,
        take: &mut dyn FnMut(Value) -> bool,
    ) -> Result<(), EvalError> {
        let steps = Cell::new(0);
        let data = Data { lut: &self.filter.lut, steps: &steps };
        let values = (0..VARIABLES.len()).map(|at| match self.used.contains(&at) {
            true => value::to_jaq(vars.at(at)),
            false => Val::Null,
        });
        let context = Ctx::<Jaq>::new(data, jaq_core::Vars::new(values));
        for output in self.filter.id.run((context, value::to_jaq(input))) {
            count(&steps).map_err(|_| EvalError::steps())?;
            match output {
                Ok(output) => {
                    if !take(value::from_jaq(&output)?) {
                        break;
                    }
                }
                Err(exception) => return Err(failure(exception)),
            }
        }
        Ok(())
    }
}

fn failure(exception: Exn<'_, Val>) -> EvalError {
    match exception.get_err() {
        Ok(error) => {
            // The message quotes values, which may be large: it is cut while it is written.
            let mut text = Cut(String::new());
            let _ = write!(text, "{error}");
            EvalError::new(text.0)
        }
        Err(exception) => match exception.get_halt() {
            Ok(SIZE) => EvalError::size(),
            Ok(DEPTH) => EvalError::depth(),
            Ok(_) => EvalError::steps(),
            Err(_) => EvalError::new("break outside of its label"),
        },
    }
}

/// Takes text up to a length, then refuses.
struct Cut(String);

impl std::fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.push_str(text);
        if self.0.len() > 4096 { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// jaq's functions, without those that are withheld, and ours.
fn functions() -> impl Iterator<Item = native::Fun<Jaq>> {
    let jaq = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    own().into_iter().chain(jaq.filter_map(|(name, args, function): native::Fun<Jaq>| {
        if name == "range" || prelude::withheld(name) {
            return None;
        }
        let renamed = prelude::RENAMED.iter().find(|(old, _)| *old == name);
        Some((renamed.map_or(name, |(_, new)| *new), args, function))
    }))
}

fn own() -> Vec<native::Fun<Jaq>> {
    let check = |run| Native::new(run).with_paths(|cv| box_once(tick(&cv).map(|()| cv.1)));
    let tick_only = Native::<Jaq>::new(|cv| box_once(tick(&cv).map(|()| cv.1)))
        .with_paths(|cv| box_once(tick(&cv).map(|()| cv.1)))
        .with_update(|cv, update| match tick(&cv) {
            Ok(()) => update(cv.1),
            Err(error) => box_once(Err(error)),
        });
    let check =
        check(|cv: Cv<'_, Jaq>| box_once(tick(&cv).and_then(|()| weigh(&cv)).map(|()| cv.1)));
    let check = check.with_update(|cv, update| update(cv.1));
    vec![
        (TICK, v(0), tick_only),
        (CHECK, v(0), check),
        ("cadre_add", two_filters(), Native::new(|cv| math(cv, add))),
        ("cadre_mul", two_filters(), Native::new(|cv| math(cv, multiply))),
        ("cadre_div", two_filters(), Native::new(|cv| math(cv, divide))),
        ("range", v(3), Native::new(|cv| range(cv))),
    ]
}

fn two_filters() -> Box<[Bind]> {
    [Bind::Fun(()), Bind::Fun(())].into()
}

fn count<'a>(steps: &Cell<u64>) -> Result<(), Exn<'a, Val>> {
    steps.set(steps.get() + 1);
    if steps.get() > crate::MAX_STEPS { Err(Exn::halt(STEPS)) } else { Ok(()) }
}

fn tick<'a, T>(cv: &Cv<'a, Jaq, T>) -> Result<(), Exn<'a, Val>> {
    count(cv.0.data().steps)
}

/// Refuses a value that has grown too large, or, once in a while, too deep.
fn weigh<'a>(cv: &Cv<'a, Jaq>) -> Result<(), Exn<'a, Val>> {
    let size = match &cv.1 {
        Val::TStr(text) | Val::BStr(text) => text.len(),
        Val::Arr(items) => items.len(),
        Val::Obj(entries) => entries.len(),
        _ => 0,
    };
    if size > crate::MAX_SIZE {
        return Err(Exn::halt(SIZE));
    }
    if cv.0.data().steps.get() % DEPTH_EVERY == 0 && value::too_deep(&cv.1) {
        return Err(Exn::halt(DEPTH));
    }
    Ok(())
}

type Outputs<'a> = jaq_core::ValXs<'a, Val>;

type Operation<'a> = fn(Val, Val) -> Result<Val, Exn<'a, Val>>;

/// Every output of the left with every output of the right, as jaq's operators do it.
fn math<'a>(mut cv: Cv<'a, Jaq>, op: Operation<'a>) -> Outputs<'a> {
    let (right, right_context) = cv.0.pop_fun();
    let (left, left_context) = cv.0.pop_fun();
    let (context, input) = cv;
    Box::new(left.run((left_context, input.clone())).flat_map(move |x| {
        let context = context.clone();
        right.run((right_context.clone(), input.clone())).map(move |y| {
            count(context.data().steps)?;
            op(x.clone()?, y?)
        })
    }))
}

fn add<'a>(left: Val, right: Val) -> Result<Val, Exn<'a, Val>> {
    if length(&left).saturating_add(length(&right)) > crate::MAX_SIZE {
        return Err(Exn::halt(SIZE));
    }
    Ok((left + right)?)
}

fn multiply<'a>(left: Val, right: Val) -> Result<Val, Exn<'a, Val>> {
    let times = |value: &Val| match value {
        Val::Num(Num::Int(times)) => usize::try_from(*times).unwrap_or(0),
        Val::Num(Num::BigInt(_)) => usize::MAX,
        _ => 1,
    };
    let text = length(&left).max(length(&right));
    if text > 0 && text.saturating_mul(times(&left).max(times(&right))) > crate::MAX_SIZE {
        return Err(Exn::halt(SIZE));
    }
    Ok((left * right)?)
}

fn divide<'a>(left: Val, right: Val) -> Result<Val, Exn<'a, Val>> {
    if let (Val::Num(Num::Int(left)), Val::Num(Num::Int(right))) = (&left, &right)
        && left.checked_rem(*right) == Some(0)
        && let Some(quotient) = left.checked_div(*right)
    {
        return Ok(Val::from(quotient));
    }
    Ok((left / right)?)
}

fn length(value: &Val) -> usize {
    match value {
        Val::TStr(text) | Val::BStr(text) => text.len(),
        Val::Arr(items) => items.len(),
        _ => 0,
    }
}

/// `range($from; $to; $by)`, each number a step.
fn range(mut cv: Cv<'_, Jaq>) -> Outputs<'_> {
    let by = cv.0.pop_var();
    let to = cv.0.pop_var();
    let mut next = Some(Ok(cv.0.pop_var()));
    let zero = Val::from(0_isize);
    let steps = cv.0.data().steps;
    Box::new(std::iter::from_fn(move || {
        let at = match next.take()? {
            Ok(at) => at,
            Err(error) => return Some(Err(error)),
        };
        let goes_on = match by.cmp(&zero) {
            std::cmp::Ordering::Greater => at < to,
            std::cmp::Ordering::Less => at > to,
            std::cmp::Ordering::Equal => at != to,
        };
        goes_on.then(|| {
            count(steps)?;
            next = Some((at.clone() + by.clone()).map_err(Exn::from));
            Ok(at)
        })
    }))
}

fn undefined(error: Option<(&str, Undefined)>, code: &str) -> CompileError {
    let Some((name, what)) = error else {
        return CompileError::new("the expression cannot be compiled", 0);
    };
    let start = (name.as_ptr() as usize).wrapping_sub(code.as_ptr() as usize);
    let offset = if start < code.len() { start } else { 0 };
    match what {
        Undefined::Filter(arity) => unknown_function(name, arity, offset),
        Undefined::Var => CompileError::new(format!("unknown variable `{name}`"), offset)
            .hint(format!("there are {}", VARIABLES.join(", "))),
        Undefined::Label => {
            CompileError::new(format!("`break {name}` has no `label {name}` around it"), offset)
        }
        what => CompileError::new(format!("unknown {} `{name}`", what.as_str()), offset),
    }
}

fn unknown_function(name: &str, arity: usize, offset: usize) -> CompileError {
    let error = CompileError::new(format!("unknown function `{name}/{arity}`"), offset);
    if let Some((_, instead)) = prelude::WITHHELD.iter().find(|(known, _)| *known == name) {
        return CompileError::new(format!("`{name}` is not available"), offset).hint(*instead);
    }
    let known: Vec<(&str, usize)> = prelude::signatures()
        .chain(functions().map(|(name, args, _): (_, Box<[Bind]>, _)| (name, args.len())))
        .filter(|(known, _)| !known.starts_with("cadre_"))
        .collect();
    let mut counts: Vec<usize> =
        known.iter().filter(|(known, _)| *known == name).map(|(_, count)| *count).collect();
    counts.sort_unstable();
    counts.dedup();
    if !counts.is_empty() {
        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
        return error.hint(format!("`{name}` takes {} arguments", counts.join(" or ")));
    }
    let near = known
        .iter()
        .map(|(known, _)| (distance(name, known), *known))
        .filter(|(distance, _)| *distance <= 2 && *distance < name.len())
        .min();
    match near {
        Some((_, near)) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("see the functions of the jq manual"),
    }
}

/// How many letters must be put in, taken out or replaced to turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
