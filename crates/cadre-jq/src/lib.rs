//! jq expressions: parsed by jaq, lowered to a native plan where possible, run by jaq elsewhere.
//!
//! [`Expr`] is a compiled expression. The common subset (paths, literals, `//`, `if`, object and array
//! construction, comparison, arithmetic, text functions, …) is lowered once from jaq's own syntax
//! tree to a plan (`plan`) that works on [`serde_json::Value`] and borrows its answers from the
//! input wherever it can. Whatever is outside of the subset, or leaves it while running (a number
//! that JSON cannot hold), runs in jaq (`interp`). Both give the same answers; a differential test
//! holds them to it.
//!
//! Expressions cannot reach the machine: there is no environment, no clock, no input and no exit.
//! An expression that does not end is ended ([`MAX_STEPS`]).
//!
//! To lower one more function: an arm in `plan::lower_call`, its work in `builtin`, and its name in
//! the generator of `tests/differential.rs`.

mod builtin;
mod error;
mod guard;
mod interp;
mod math;
mod order;
mod parse;
mod plan;
mod prelude;
mod print;
mod reads;
mod run;
mod tree;
mod value;
mod vars;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use error::{CompileError, EvalError};
pub use reads::{From, Into, Reading};
pub use vars::{VARIABLES, Vars};

/// Most steps (items iterated, loop rounds, alternatives) that one evaluation may take.
pub const MAX_STEPS: u64 = 2_000_000;

/// Most bytes of a text, and most items of an array, that an evaluation may build.
pub const MAX_SIZE: usize = 64 << 20;

/// Longest source, in bytes.
pub const MAX_SOURCE: usize = 64 << 10;

/// Deepest nesting of an expression.
pub const MAX_DEPTH: usize = 100;

/// Deepest nesting of a value that an expression builds.
pub const MAX_VALUE_DEPTH: usize = 256;

/// A compiled expression. Cheap to clone.
#[derive(Clone)]
pub struct Expr(Arc<Compiled>);

struct Compiled {
    /// What the author wrote.
    source: String,
    /// jq source that means the same: a template is put between quotes.
    code: String,
    variables: Vec<&'static str>,
    plan: Option<plan::Plan>,
    /// Compiled at once without a plan, else only when the plan has to give up.
    interp: OnceLock<Result<interp::Program, EvalError>>,
}

impl Expr {
    /// Compiles jq source.
    ///
    /// # Errors
    /// The first thing in `source` that is not jq, is not known, or is nested too deeply.
    pub fn compile(source: &str) -> Result<Expr, CompileError> {
        Self::build(source, source.to_owned(), 0)
    }

    /// Compiles a template: plain text in which `\(…)` holds an expression.
    ///
    /// # Errors
    /// As [`Expr::compile`].
    pub fn template(text: &str) -> Result<Expr, CompileError> {
        Self::build(text, format!("\"{text}\""), 1)
    }

    /// Compiles a template whose interpolated values are encoded for the use in a URL path or query.
    ///
    /// # Errors
    /// As [`Expr::compile`].
    pub fn path_template(text: &str) -> Result<Expr, CompileError> {
        Self::build(text, format!("@uri \"{text}\""), 6)
    }

    /// Compiles a template whose interpolated values are escaped for the use in XML: as text of an element
    /// or inside of an attribute.
    ///
    /// # Errors
    /// As [`Expr::compile`].
    pub fn xml_template(text: &str) -> Result<Expr, CompileError> {
        Self::build(text, format!("@html \"{text}\""), 7).map_err(|mut error| {
            if text.contains('"') {
                error.hint =
                    Some("a double quote ends the text: attributes stand in single quotes".into());
            }
            error
        })
    }

    fn build(source: &str, code: String, prefix: usize) -> Result<Expr, CompileError> {
        let compiled = parse::on_enough_stack(&code, || {
            let term = parse::parse(&code, prefix)?;
            let variables = tree::check(&term, &code)?;
            let plan = plan::lower(&term);
            let interp = OnceLock::new();
            if plan.is_none() {
                let program = interp::Program::compile(&term, &code)?;
                let _ = interp.set(Ok(program));
            }
            Ok((variables, plan, interp))
        });
        let (variables, plan, interp) =
            compiled.map_err(|error: CompileError| error.shifted(prefix, source.len()))?;
        let source = source.to_owned();
        Ok(Expr(Arc::new(Compiled { source, code, variables, plan, interp })))
    }

    /// What was compiled.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether it runs without jaq.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.0.plan.is_some()
    }

    /// The variables of [`VARIABLES`] that it uses.
    #[must_use]
    pub fn variables(&self) -> Vec<&'static str> {
        self.0.variables.clone()
    }

    /// The parts of its input and of variables that it may look at; never too few.
    #[must_use]
    pub fn reads(&self) -> Vec<Reading> {
        let code = &self.0.code;
        let found = parse::on_enough_stack(code, || Ok(reads::reads(&parse::parse(code, 0)?)));
        // What was compiled can be parsed again.
        found.unwrap_or_else(|_| vec![Reading { from: From::Input, path: Vec::new() }])
    }

    /// Every output, in order.
    ///
    /// # Errors
    /// The first error that the expression raises, or the limit it ran into.
    pub fn all<'v>(
        &self,
        input: &'v Value,
        vars: &Vars<'v>,
    ) -> Result<Vec<Cow<'v, Value>>, EvalError> {
        let mut outputs = Vec::new();
        self.each(input, vars, &mut |output| {
            outputs.push(output);
            true
        })?;
        Ok(outputs)
    }

    /// The first output; `None` when there is none.
    ///
    /// # Errors
    /// The error that comes before the first output, or the limit that was reached before it.
    pub fn first<'v>(
        &self,
        input: &'v Value,
        vars: &Vars<'v>,
    ) -> Result<Option<Cow<'v, Value>>, EvalError> {
        let mut first = None;
        self.each(input, vars, &mut |output| {
            first = Some(output);
            false
        })?;
        Ok(first)
    }

    /// The one output; `None` when there is none.
    ///
    /// # Errors
    /// As [`Expr::all`]; a second output is an error, since nothing says which of them is meant.
    pub fn one<'v>(
        &self,
        input: &'v Value,
        vars: &Vars<'v>,
    ) -> Result<Option<Cow<'v, Value>>, EvalError> {
        if let Some(plan) = &self.0.plan
            && let Some(output) = run::single(plan, input, vars)
        {
            return Ok(Some(output));
        }
        let mut one = None;
        let mut more = false;
        self.each(input, vars, &mut |output| {
            more = one.is_some();
            one.get_or_insert(output);
            !more
        })?;
        if more {
            Err(EvalError::new("the expression yields more than one value"))
        } else {
            Ok(one)
        }
    }

    /// Every output as jaq itself computes it, without the native plan: what tests compare with.
    ///
    /// # Errors
    /// As [`Expr::all`].
    #[doc(hidden)]
    pub fn all_in_jaq(&self, input: &Value, vars: &Vars<'_>) -> Result<Vec<Value>, EvalError> {
        let mut outputs = Vec::new();
        self.interp()?.run(input, vars, &mut |output| {
            outputs.push(output);
            true
        })?;
        Ok(outputs)
    }

    /// Hands every output to `take`, until it says `false`.
    fn each<'v>(
        &self,
        input: &'v Value,
        vars: &Vars<'v>,
        take: &mut dyn FnMut(Cow<'v, Value>) -> bool,
    ) -> Result<(), EvalError> {
        if let Some(plan) = &self.0.plan {
            // What the plan said before it gave up is not handed on twice: jaq is asked again from
            // the start, and the outputs that were already taken are passed over.
            let mut taken = 0_usize;
            let mut wanted = true;
            let ended = run::run(plan, input, vars, &mut |output| {
                taken += 1;
                wanted = take(output);
                wanted
            });
            match ended {
                run::End::Done => return Ok(()),
                run::End::Failed(error) => return Err(error),
                run::End::GaveUp if !wanted => return Ok(()),
                run::End::GaveUp => {}
            }
            return self.interp()?.run(input, vars, &mut |output| {
                if taken > 0 {
                    taken -= 1;
                    return true;
                }
                take(Cow::Owned(output))
            });
        }
        self.interp()?.run(input, vars, &mut |output| take(Cow::Owned(output)))
    }

    fn interp(&self) -> Result<&interp::Program, EvalError> {
        let compiled = self.0.interp.get_or_init(|| {
            parse::on_enough_stack(&self.0.code, || {
                let term = parse::parse(&self.0.code, 0)?;
                interp::Program::compile(&term, &self.0.code)
            })
            .map_err(|error| EvalError::new(error.message))
        });
        compiled.as_ref().map_err(Clone::clone)
    }
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expr").field(&self.0.source).finish()
    }
}
