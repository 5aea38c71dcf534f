//! The native plan: what an expression is lowered to, and how.
//!
//! A node is *single* when it yields exactly one output or an error. Single nodes are computed by
//! a plain function call; the others hand their outputs on, one by one.

use std::sync::atomic::{AtomicUsize, Ordering};

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern};
use jaq_core::ops::{Cmp, Math};
use jaq_core::path::{Opt, Part};
use serde_json::{Map, Number, Value};

use crate::builtin::{self, Binary, Unary};
use crate::tree::Term;
use crate::vars;

/// A node of the plan.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) op: Op,
    pub(crate) single: bool,
}

/// What a node does.
#[derive(Debug)]
pub(crate) enum Op {
    /// `.`
    Input,
    /// A constant.
    Constant(Value),
    /// One of the fixed variables.
    Variable(usize),
    /// A variable bound by `as`, counted from the innermost.
    Local(usize),
    /// Steps from a value.
    Path(Box<Plan>, Vec<Step>),
    /// A text with parts.
    Text(Vec<Piece>),
    /// `[…]`
    Array(Option<Box<Plan>>),
    /// `{…}`
    Object(Vec<(Plan, Plan)>),
    Negate(Box<Plan>),
    Pipe(Box<Plan>, Box<Plan>),
    /// `… as $x | …`
    Bind(Box<Plan>, Box<Plan>),
    Comma(Box<Plan>, Box<Plan>),
    Alternative(Box<Plan>, Box<Plan>),
    If(Box<Plan>, Box<Plan>, Box<Plan>),
    /// `and` stops at false, `or` at true.
    Logic(Box<Plan>, bool, Box<Plan>),
    Math(Box<Plan>, Math, Box<Plan>),
    Compare(Box<Plan>, Cmp, Box<Plan>),
    /// `…?`
    Try(Box<Plan>),
    /// `reduce … as $x (…; …)`
    Reduce(Box<Plan>, Box<Plan>, Box<Plan>),
    /// A function of the input.
    Unary(Unary),
    /// A function of the input and an argument.
    Binary(Binary, Box<Plan>),
    Empty,
    /// `error` with the message.
    Error(Box<Plan>),
    /// `select(…)`
    Select(Box<Plan>),
    First(Box<Plan>),
    Last(Box<Plan>),
    /// Whether an output of the second, run on the outputs of the first, is this.
    Any(Box<Plan>, Box<Plan>, bool),
    /// Sum of the outputs.
    Sum(Box<Plan>),
}

/// One step of a path.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) place: Place,
    /// With a `?`: an error is no output.
    pub(crate) optional: bool,
}

/// Where a step leads.
#[derive(Debug)]
pub(crate) enum Place {
    /// A field of an object.
    Key(Key),
    /// An item of an array, from the end when negative.
    At(i64),
    /// A place that is computed; single.
    Computed(Plan),
    /// Every item.
    Each,
    /// From, to; single.
    Slice(Option<Plan>, Option<Plan>),
}

/// The name of a field, and where it was found last: the records of a list have their fields in the same
/// order, and looking there first spares hashing the name.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    near: AtomicUsize,
}

/// Most fields of an object whose order is remembered.
const ORDERED: usize = 64;

impl Key {
    fn new(name: String) -> Key {
        Key { name, near: AtomicUsize::new(usize::MAX) }
    }

    /// The value of the field.
    pub(crate) fn find<'x>(&self, entries: &'x Map<String, Value>) -> Option<&'x Value> {
        let near = self.near.load(Ordering::Relaxed);
        if near < entries.len().min(ORDERED)
            && let Some((name, value)) = entries.iter().nth(near)
            && *name == self.name
        {
            return Some(value);
        }
        let value = entries.get(&self.name)?;
        if let Some(at) = entries.keys().take(ORDERED).position(|name| *name == self.name) {
            self.near.store(at, Ordering::Relaxed);
        }
        Some(value)
    }
}

/// A part of a text.
#[derive(Debug)]
pub(crate) enum Piece {
    Plain(String),
    Value(Plan, Format),
}

/// How a value is printed into a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// As `tostring` does.
    Text,
    /// As `tojson` does.
    Json,
    /// With all but letters, digits and `-._~` percent-encoded.
    Uri,
}

/// Lowers a checked tree; `None` when any of it is outside of the subset.
pub(crate) fn lower(term: &Term<'_>) -> Option<Plan> {
    Lowering { locals: Vec::new() }.term(term)
}

struct Lowering<'s> {
    locals: Vec<&'s str>,
}

type Lowered = Option<Plan>;

impl<'s> Lowering<'s> {
    fn term(&mut self, term: &Term<'s>) -> Lowered {
        Some(match term {
            Term::Id => node(Op::Input, true),
            Term::Num(digits) => node(Op::Constant(number(digits)?), true),
            Term::Var(name) => self.variable(name)?,
            Term::Str(format, parts) => self.text(*format, parts)?,
            Term::Arr(None) => node(Op::Array(None), true),
            Term::Arr(Some(inner)) => node(Op::Array(Some(self.boxed(inner)?)), true),
            Term::Obj(entries) => self.object(entries)?,
            Term::Neg(inner) => {
                let inner = self.boxed(inner)?;
                let single = inner.single;
                node(Op::Negate(inner), single)
            }
            Term::BinOp(left, op, right) => self.operator(left, op, right)?,
            Term::TryCatch(body, None) => node(Op::Try(self.boxed(body)?), false),
            Term::IfThenElse(branches, otherwise) => {
                self.branches(branches, otherwise.as_deref())?
            }
            Term::Path(head, path) => self.path(head, &path.0)?,
            Term::Call(name, args) => self.call(name, args)?,
            Term::Fold("reduce", source, Pattern::Var(name), args) => {
                self.reduce(source, name, args)?
            }
            Term::Recurse
            | Term::Fold(..)
            | Term::TryCatch(_, Some(_))
            | Term::Label(..)
            | Term::Break(_)
            | Term::Def(..) => return None,
        })
    }

    fn boxed(&mut self, term: &Term<'s>) -> Option<Box<Plan>> {
        self.term(term).map(Box::new)
    }

    fn variable(&mut self, name: &str) -> Lowered {
        if let Some(at) = self.locals.iter().rev().position(|local| *local == name) {
            return Some(node(Op::Local(at), true));
        }
        vars::index(name).map(|at| node(Op::Variable(at), true))
    }

    fn text(&mut self, format: Option<&str>, parts: &[StrPart<&'s str, Term<'s>>]) -> Lowered {
        let format = match format {
            None | Some("@text") => Format::Text,
            Some("@json") => Format::Json,
            Some("@uri") => Format::Uri,
            Some(_) => return None,
        };
        let mut pieces: Vec<Piece> = Vec::new();
        for part in parts {
            let plain = match part {
                StrPart::Str(text) => (*text).to_owned(),
                StrPart::Char(letter) => letter.to_string(),
                StrPart::Term(term) => {
                    pieces.push(Piece::Value(self.term(term)?, format));
                    continue;
                }
            };
            match pieces.last_mut() {
                Some(Piece::Plain(text)) => text.push_str(&plain),
                _ => pieces.push(Piece::Plain(plain)),
            }
        }
        match &mut pieces[..] {
            [] => Some(node(Op::Constant(Value::String(String::new())), true)),
            [Piece::Plain(text)] => {
                Some(node(Op::Constant(Value::String(std::mem::take(text))), true))
            }
            _ => {
                let single = pieces.iter().all(|piece| match piece {
                    Piece::Plain(_) => true,
                    Piece::Value(plan, _) => plan.single,
                });
                Some(node(Op::Text(pieces), single))
            }
        }
    }

    fn object(&mut self, entries: &[(Term<'s>, Option<Term<'s>>)]) -> Lowered {
        let mut lowered = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            lowered.push(match (key, value) {
                (Term::Var(name), None) => {
                    let key = Value::String(name.strip_prefix('$')?.to_owned());
                    (node(Op::Constant(key), true), self.variable(name)?)
                }
                (key, None) => {
                    let Op::Constant(Value::String(name)) = self.term(key)?.op else { return None };
                    let step = Step { place: Place::Key(Key::new(name.clone())), optional: false };
                    let value = Op::Path(Box::new(node(Op::Input, true)), vec![step]);
                    (node(Op::Constant(Value::String(name)), true), node(value, true))
                }
                (key, Some(value)) => (self.term(key)?, self.term(value)?),
            });
        }
        let single = lowered.iter().all(|(key, value)| key.single && value.single);
        Some(node(Op::Object(lowered), single))
    }

    fn operator(&mut self, left: &Term<'s>, op: &BinaryOp<&'s str>, right: &Term<'s>) -> Lowered {
        if let BinaryOp::Pipe(Some(pattern)) = op {
            let Pattern::Var(name) = pattern else { return None };
            let source = self.boxed(left)?;
            self.locals.push(name);
            let body = self.boxed(right);
            self.locals.pop();
            let body = body?;
            let single = source.single && body.single;
            return Some(node(Op::Bind(source, body), single));
        }
        let left = self.boxed(left)?;
        let right = self.boxed(right)?;
        let single = left.single && right.single;
        Some(match op {
            BinaryOp::Pipe(None) => node(Op::Pipe(left, right), single),
            BinaryOp::Comma => node(Op::Comma(left, right), false),
            BinaryOp::Alt => node(Op::Alternative(left, right), single),
            BinaryOp::Or => node(Op::Logic(left, true, right), single),
            BinaryOp::And => node(Op::Logic(left, false, right), single),
            BinaryOp::Math(op) => node(Op::Math(left, *op, right), single),
            BinaryOp::Cmp(op) => node(Op::Compare(left, *op, right), single),
            _ => return None,
        })
    }

    fn branches(
        &mut self,
        branches: &[(Term<'s>, Term<'s>)],
        otherwise: Option<&Term<'s>>,
    ) -> Lowered {
        let mut plan = match otherwise {
            Some(otherwise) => self.term(otherwise)?,
            None => node(Op::Input, true),
        };
        for (condition, then) in branches.iter().rev() {
            let (condition, then) = (self.boxed(condition)?, self.boxed(then)?);
            let single = condition.single && then.single && plan.single;
            plan = node(Op::If(condition, then, Box::new(plan)), single);
        }
        Some(plan)
    }

    fn path(&mut self, head: &Term<'s>, parts: &[(Part<Term<'s>>, Opt)]) -> Lowered {
        let head = self.boxed(head)?;
        let mut single = head.single;
        let mut steps = Vec::with_capacity(parts.len());
        for (part, opt) in parts {
            let optional = matches!(opt, Opt::Optional);
            let place = match part {
                Part::Index(index) => {
                    let index = self.computed(index)?;
                    match index.op {
                        Op::Constant(Value::String(key)) => Place::Key(Key::new(key)),
                        Op::Constant(Value::Number(ref number)) => match number.as_i64() {
                            Some(at) => Place::At(at),
                            None => Place::Computed(index),
                        },
                        _ => Place::Computed(index),
                    }
                }
                Part::Range(None, None) => Place::Each,
                Part::Range(from, to) => {
                    let mut bound = |term: &Option<Term<'s>>| match term {
                        Some(term) => self.computed(term).map(Some),
                        None => Some(None),
                    };
                    Place::Slice(bound(from)?, bound(to)?)
                }
            };
            single &= !optional && !matches!(place, Place::Each);
            steps.push(Step { place, optional });
        }
        Some(node(Op::Path(head, steps), single))
    }

    /// An index or a bound: with several outputs, the order of results would be jaq's own.
    fn computed(&mut self, term: &Term<'s>) -> Lowered {
        self.term(term).filter(|plan| plan.single)
    }

    fn reduce(&mut self, source: &Term<'s>, name: &'s str, args: &[Term<'s>]) -> Lowered {
        let [init, update] = args else { return None };
        let source = self.boxed(source)?;
        let init = self.boxed(init)?;
        self.locals.push(name);
        let update = self.boxed(update);
        self.locals.pop();
        let update = update?;
        (init.single && update.single).then(|| node(Op::Reduce(source, init, update), true))
    }

    fn call(&mut self, name: &str, args: &[Term<'s>]) -> Lowered {
        match args {
            [] => self.call_plain(name),
            [arg] => self.call_with(name, arg),
            [generator, condition] => {
                let stop = match name {
                    "any" => true,
                    "all" => false,
                    _ => return None,
                };
                Some(node(Op::Any(self.boxed(generator)?, self.boxed(condition)?, stop), true))
            }
            _ => None,
        }
    }

    fn call_plain(&mut self, name: &str) -> Lowered {
        if let Some(function) = builtin::unary(name) {
            return Some(node(Op::Unary(function), true));
        }
        let constant = |value| Some(node(Op::Constant(value), true));
        let select = |function| {
            let test = Box::new(node(Op::Unary(function), true));
            Some(node(Op::Select(test), false))
        };
        let formatted =
            |format| Some(node(Op::Text(vec![Piece::Value(node(Op::Input, true), format)]), true));
        match name {
            "true" => constant(Value::Bool(true)),
            "false" => constant(Value::Bool(false)),
            "null" => constant(Value::Null),
            "empty" => Some(node(Op::Empty, false)),
            "error" => Some(node(Op::Error(Box::new(node(Op::Input, true))), false)),
            "@text" => formatted(Format::Text),
            "@json" => formatted(Format::Json),
            "@uri" => formatted(Format::Uri),
            "first" => Some(at(0)),
            "last" => Some(at(-1)),
            "add" => Some(node(Op::Sum(Box::new(each())), true)),
            "any" | "all" => {
                let condition = Box::new(node(Op::Input, true));
                Some(node(Op::Any(Box::new(each()), condition, name == "any"), true))
            }
            "values" => select(builtin::is_not_null),
            "nulls" => select(builtin::is_null),
            "booleans" => select(builtin::is_boolean),
            "numbers" => select(builtin::is_number),
            "strings" => select(builtin::is_string),
            "arrays" => select(builtin::is_array),
            "objects" => select(builtin::is_object),
            "iterables" => select(builtin::is_iterable),
            "scalars" => select(builtin::is_scalar),
            _ => None,
        }
    }

    fn call_with(&mut self, name: &str, arg: &Term<'s>) -> Lowered {
        let arg = self.boxed(arg)?;
        if let Some(function) = builtin::binary(name) {
            let single = arg.single;
            return Some(node(Op::Binary(function, arg), single));
        }
        let mapped = |arg| {
            let items = node(Op::Pipe(Box::new(each()), arg), false);
            node(Op::Array(Some(Box::new(items))), true)
        };
        Some(match name {
            "select" => node(Op::Select(arg), false),
            "map" => mapped(arg),
            "with_entries" => {
                let entries = Box::new(node(Op::Unary(builtin::to_entries), true));
                let back = Box::new(node(Op::Unary(builtin::from_entries), true));
                let changed = Box::new(node(Op::Pipe(entries, Box::new(mapped(arg))), true));
                node(Op::Pipe(changed, back), true)
            }
            "first" => node(Op::First(arg), false),
            "last" => node(Op::Last(arg), false),
            "add" => node(Op::Sum(arg), true),
            "any" => node(Op::Any(Box::new(each()), arg, true), true),
            "all" => node(Op::Any(Box::new(each()), arg, false), true),
            "error" => node(Op::Error(arg), false),
            _ => return None,
        })
    }
}

fn node(op: Op, single: bool) -> Plan {
    Plan { op, single }
}

fn step(place: Place, single: bool) -> Plan {
    let steps = vec![Step { place, optional: false }];
    node(Op::Path(Box::new(node(Op::Input, true)), steps), single)
}

fn each() -> Plan {
    step(Place::Each, false)
}

fn at(index: i64) -> Plan {
    step(Place::At(index), true)
}

/// A number as written. A decimal that would print differently stays with jaq, which keeps its text.
fn number(digits: &str) -> Option<Value> {
    if let Ok(whole) = digits.parse::<i64>() {
        return Some(Value::from(whole));
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    builtin::decimal(digits).map(|float: Number| Value::Number(float))
}
