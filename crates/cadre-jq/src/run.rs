//! Running the native plan.
//!
//! Outputs are handed to a callback, one by one. Nothing is allocated for a step along a path: a
//! value that comes from the input is passed on as a reference into it.

mod path;

use std::borrow::Cow;
use std::cell::Cell;

use jaq_core::ops::Math;
use serde_json::{Map, Value};

use crate::builtin::{self, Got, Stop, truthy};
use crate::error::EvalError;
use crate::plan::{Format, Op, Piece, Plan};
use crate::vars::Vars;
use crate::{math, order, print};

/// How a run ended.
pub(crate) enum End {
    /// All outputs were handed on, or as many as were wanted.
    Done,
    Failed(EvalError),
    /// Only jaq can go on.
    GaveUp,
}

/// Hands every output to `take`, until it says `false`.
pub(crate) fn run<'v>(
    plan: &Plan,
    input: &'v Value,
    vars: &Vars<'v>,
    take: &mut dyn FnMut(Cow<'v, Value>) -> bool,
) -> End {
    let run = Run { vars, steps: Cell::new(0) };
    let ended = run.each(plan, &V::In(input), None, &mut |output| {
        run.step()?;
        let output = match output {
            V::In(value) => Cow::Borrowed(value),
            V::Plan(value) => Cow::Owned(value.clone()),
            V::Own(value) => Cow::Owned(value),
        };
        if take(output) { Ok(()) } else { Err(Stop::Enough) }
    });
    match ended {
        Ok(()) | Err(Stop::Enough) => End::Done,
        Err(Stop::Error(error) | Stop::Limit(error)) => End::Failed(error),
        Err(Stop::GaveUp) => End::GaveUp,
    }
}

/// The one output of a plan that is single; `None` where [`run`] must find out.
pub(crate) fn single<'v>(plan: &Plan, input: &'v Value, vars: &Vars<'v>) -> Option<Cow<'v, Value>> {
    if !plan.single {
        return None;
    }
    if let Op::Path(head, steps) = &plan.op
        && matches!(head.op, Op::Input)
        && let Some(value) = path::fields(input, steps)
    {
        return Some(Cow::Borrowed(value));
    }
    let run = Run { vars, steps: Cell::new(0) };
    match run.one(plan, &V::In(input), None).ok()? {
        V::In(value) => Some(Cow::Borrowed(value)),
        V::Plan(value) => Some(Cow::Owned(value.clone())),
        V::Own(value) => Some(Cow::Owned(value)),
    }
}

static NULL: Value = Value::Null;

/// A value: of the input, of the plan, or made on the way.
#[derive(Clone)]
enum V<'v, 'p> {
    In(&'v Value),
    Plan(&'p Value),
    Own(Value),
}

impl<'v, 'p> V<'v, 'p> {
    fn get(&self) -> &Value {
        match self {
            V::In(value) => value,
            V::Plan(value) => value,
            V::Own(value) => value,
        }
    }

    fn into_owned(self) -> Value {
        match self {
            V::In(value) => value.clone(),
            V::Plan(value) => value.clone(),
            V::Own(value) => value,
        }
    }

    /// Applies a function whose result may be a part of the value.
    fn apply(
        &self,
        function: impl for<'x> FnOnce(&'x Value) -> Got<'x>,
    ) -> Result<V<'v, 'p>, Stop> {
        Ok(match self {
            V::In(value) => match function(value)? {
                Cow::Borrowed(part) => V::In(part),
                Cow::Owned(new) => V::Own(new),
            },
            V::Plan(value) => match function(value)? {
                Cow::Borrowed(part) => V::Plan(part),
                Cow::Owned(new) => V::Own(new),
            },
            V::Own(value) => V::Own(function(value)?.into_owned()),
        })
    }
}

/// Variables bound by `as`, innermost first.
type Locals<'e, 'v, 'p> = Option<&'e Local<'e, 'v, 'p>>;

struct Local<'e, 'v, 'p> {
    value: &'e V<'v, 'p>,
    outer: Locals<'e, 'v, 'p>,
}

type Flow = Result<(), Stop>;
type Take<'t, 'v, 'p> = &'t mut dyn FnMut(V<'v, 'p>) -> Flow;

struct Run<'r, 'v> {
    vars: &'r Vars<'v>,
    steps: Cell<u64>,
}

impl<'v> Run<'_, 'v> {
    fn step(&self) -> Flow {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > crate::MAX_STEPS {
            Err(Stop::Limit(EvalError::steps()))
        } else {
            Ok(())
        }
    }

    /// The one output of a single node.
    fn one<'p>(
        &self,
        plan: &'p Plan,
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
    ) -> Result<V<'v, 'p>, Stop> {
        match &plan.op {
            Op::Input => Ok(input.clone()),
            Op::Constant(value) => Ok(V::Plan(value)),
            Op::Variable(at) => Ok(V::In(self.vars.at(*at))),
            Op::Local(at) => Ok(local(locals, *at)),
            Op::Path(head, steps) => self.path_one(head, steps, input, locals),
            Op::Pipe(left, right) => match &left.op {
                // Spares copying what a function only looks at.
                Op::Input => self.one(right, input, locals),
                _ => self.one(right, &self.one(left, input, locals)?, locals),
            },
            Op::Bind(source, body) => {
                let value = self.one(source, input, locals)?;
                self.one(body, input, Some(&Local { value: &value, outer: locals }))
            }
            Op::Alternative(left, right) => match self.one(left, input, locals)? {
                value if truthy(value.get()) => Ok(value),
                _ => self.one(right, input, locals),
            },
            Op::If(condition, then, otherwise) => {
                let holds = truthy(self.one(condition, input, locals)?.get());
                self.one(if holds { then } else { otherwise }, input, locals)
            }
            Op::Logic(left, stop, right) => {
                let left = truthy(self.one(left, input, locals)?.get());
                let holds = if left == *stop {
                    left
                } else {
                    truthy(self.one(right, input, locals)?.get())
                };
                Ok(V::Own(Value::Bool(holds)))
            }
            Op::Math(left, op, right) => {
                let left = self.one(left, input, locals)?;
                calculate(left, *op, self.one(right, input, locals)?)
            }
            Op::Compare(left, op, right) => {
                let left = self.one(left, input, locals)?;
                let right = self.one(right, input, locals)?;
                Ok(V::Own(Value::Bool(order::compare(left.get(), *op, right.get()))))
            }
            Op::Negate(inner) => Ok(V::Own(math::negate(self.one(inner, input, locals)?.get())?)),
            Op::Unary(function) => input.apply(function),
            Op::Binary(function, arg) => {
                let arg = self.one(arg, input, locals)?;
                input.apply(|value| function(value, arg.get()))
            }
            Op::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Plain(plain) => text.push_str(plain),
                        Piece::Value(plan, format) => {
                            print_into(&mut text, self.one(plan, input, locals)?.get(), *format)?;
                        }
                    }
                }
                Ok(V::Own(Value::String(text)))
            }
            Op::Object(entries) => {
                let mut object = Map::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = key_of(self.one(key, input, locals)?)?;
                    object.insert(key, self.one(value, input, locals)?.into_owned());
                }
                Ok(V::Own(Value::Object(object)))
            }
            Op::Array(None) => Ok(V::Own(Value::Array(Vec::new()))),
            Op::Array(Some(inner)) => {
                let mut items = Vec::new();
                self.each(inner, input, locals, &mut |item| {
                    self.step()?;
                    items.push(item.into_owned());
                    Ok(())
                })?;
                Ok(V::Own(Value::Array(items)))
            }
            Op::Reduce(source, init, update) => {
                let mut state = self.one(init, input, locals)?;
                self.each(source, input, locals, &mut |item| {
                    self.step()?;
                    let local = Local { value: &item, outer: locals };
                    state = self.one(update, &state, Some(&local))?;
                    Ok(())
                })?;
                Ok(state)
            }
            Op::Any(generator, condition, stop) => {
                self.any(generator, condition, *stop, input, locals)
            }
            Op::Sum(generator) => {
                let mut sum = V::Own(Value::Null);
                self.each(generator, input, locals, &mut |item| {
                    self.step()?;
                    let so_far = std::mem::replace(&mut sum, V::Own(Value::Null));
                    sum = calculate(so_far, Math::Add, item)?;
                    Ok(())
                })?;
                Ok(sum)
            }
            // Not single: `each` has them.
            Op::Comma(..)
            | Op::Try(_)
            | Op::Empty
            | Op::Error(_)
            | Op::Select(_)
            | Op::First(_)
            | Op::Last(_) => Err(Stop::GaveUp),
        }
    }

    fn any<'p>(
        &self,
        generator: &'p Plan,
        condition: &'p Plan,
        stop: bool,
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
    ) -> Result<V<'v, 'p>, Stop> {
        let mut found = false;
        let ended = self.each(generator, input, locals, &mut |item| {
            self.step()?;
            self.each(condition, &item, locals, &mut |holds| {
                if truthy(holds.get()) == stop {
                    found = true;
                    return Err(Stop::Enough);
                }
                Ok(())
            })
        });
        match ended {
            Err(Stop::Enough) if found => {}
            other => other?,
        }
        Ok(V::Own(Value::Bool(found == stop)))
    }

    /// Hands every output of a node to `take`.
    fn each<'p>(
        &self,
        plan: &'p Plan,
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
        take: Take<'_, 'v, 'p>,
    ) -> Flow {
        if plan.single {
            return take(self.one(plan, input, locals)?);
        }
        match &plan.op {
            Op::Path(head, steps) => self.each(head, input, locals, &mut |value| {
                let keys = self.keys(steps, input, locals)?;
                self.walk(&value, steps, &keys, take)
            }),
            Op::Pipe(left, right) => {
                self.each(left, input, locals, &mut |value| self.each(right, &value, locals, take))
            }
            Op::Bind(source, body) => self.each(source, input, locals, &mut |value| {
                self.each(body, input, Some(&Local { value: &value, outer: locals }), take)
            }),
            Op::Comma(left, right) => {
                self.step()?;
                self.each(left, input, locals, take)?;
                self.each(right, input, locals, take)
            }
            Op::Alternative(left, right) => {
                let mut any = false;
                self.each(left, input, locals, &mut |value| {
                    if !truthy(value.get()) {
                        return Ok(());
                    }
                    any = true;
                    take(value)
                })?;
                if any { Ok(()) } else { self.each(right, input, locals, take) }
            }
            Op::If(condition, then, otherwise) => {
                self.each(condition, input, locals, &mut |holds| {
                    let branch = if truthy(holds.get()) { then } else { otherwise };
                    self.each(branch, input, locals, take)
                })
            }
            Op::Logic(left, stop, right) => self.each(left, input, locals, &mut |left| {
                if truthy(left.get()) == *stop {
                    return take(V::Own(Value::Bool(*stop)));
                }
                self.each(right, input, locals, &mut |right| {
                    take(V::Own(Value::Bool(truthy(right.get()))))
                })
            }),
            Op::Math(left, op, right) => {
                self.pairs(left, right, input, locals, &mut |left, right| {
                    take(calculate(left.clone(), *op, right)?)
                })
            }
            Op::Compare(left, op, right) => {
                self.pairs(left, right, input, locals, &mut |left, right| {
                    take(V::Own(Value::Bool(order::compare(left.get(), *op, right.get()))))
                })
            }
            Op::Negate(inner) => self
                .each(inner, input, locals, &mut |value| take(V::Own(math::negate(value.get())?))),
            Op::Binary(function, arg) => self.each(arg, input, locals, &mut |arg| {
                take(input.apply(|value| function(value, arg.get()))?)
            }),
            Op::Text(pieces) => self.texts(pieces, String::new(), input, locals, take),
            Op::Object(entries) => self.objects(entries, Map::new(), input, locals, take),
            Op::Try(body) => self.attempt(body, input, locals, take),
            Op::Empty => Ok(()),
            Op::Error(message) => self.each(message, input, locals, &mut |message| {
                Err(Stop::Error(match message.get() {
                    Value::String(text) => EvalError::new(text.as_str()),
                    other => EvalError::new(builtin::shown(other)),
                }))
            }),
            Op::Select(condition) => self.each(condition, input, locals, &mut |holds| {
                if truthy(holds.get()) { take(input.clone()) } else { Ok(()) }
            }),
            Op::First(generator) => {
                let mut first = None;
                let ended = self.each(generator, input, locals, &mut |value| {
                    first = Some(value);
                    Err(Stop::Enough)
                });
                match first {
                    Some(value) => take(value),
                    None => ended,
                }
            }
            Op::Last(generator) => {
                let mut last = None;
                self.each(generator, input, locals, &mut |value| {
                    self.step()?;
                    last = Some(value);
                    Ok(())
                })?;
                last.map_or(Ok(()), take)
            }
            // Single: `one` has them.
            _ => Err(Stop::GaveUp),
        }
    }

    /// Every output of the left with every output of the right, the left one changing slower.
    fn pairs<'p>(
        &self,
        left: &'p Plan,
        right: &'p Plan,
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
        take: &mut dyn FnMut(&V<'v, 'p>, V<'v, 'p>) -> Flow,
    ) -> Flow {
        let mut inside = false;
        let ended = self.each(left, input, locals, &mut |left| {
            let ended = self.each(right, input, locals, &mut |right| take(&left, right));
            inside |= ended.is_err();
            ended
        });
        self.unless_alone(ended, inside, &mut |see| self.each(right, input, locals, see))
    }

    /// An error of the left side of a pair is one only if there is a right side to it.
    fn unless_alone<'p>(
        &self,
        ended: Flow,
        inside: bool,
        right: &mut dyn FnMut(Take<'_, 'v, 'p>) -> Flow,
    ) -> Flow {
        match ended {
            Err(Stop::Error(error)) if !inside => match right(&mut |_| Err(Stop::Enough)) {
                Ok(()) => Ok(()),
                Err(Stop::Enough | Stop::Error(_)) => Err(Stop::Error(error)),
                Err(stop) => Err(stop),
            },
            ended => ended,
        }
    }

    /// Outputs up to the first error of `body`; errors of whoever takes them pass.
    fn attempt<'p>(
        &self,
        body: &'p Plan,
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
        take: Take<'_, 'v, 'p>,
    ) -> Flow {
        let mut outside = None;
        let ended = self.each(body, input, locals, &mut |value| {
            take(value).map_err(|stop| {
                outside = Some(stop);
                Stop::Enough
            })
        });
        match (outside, ended) {
            (Some(stop), _) => Err(stop),
            (None, Err(Stop::Error(_))) => Ok(()),
            (None, ended) => ended,
        }
    }

    fn texts<'p>(
        &self,
        pieces: &'p [Piece],
        so_far: String,
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
        take: Take<'_, 'v, 'p>,
    ) -> Flow {
        let Some((piece, rest)) = pieces.split_first() else {
            return take(V::Own(Value::String(so_far)));
        };
        match piece {
            Piece::Plain(plain) => self.texts(rest, so_far + plain, input, locals, take),
            Piece::Value(plan, format) => {
                let mut inside = false;
                let ended = self.each(plan, input, locals, &mut |value| {
                    let mut text = so_far.clone();
                    print_into(&mut text, value.get(), *format)?;
                    let ended = self.texts(rest, text, input, locals, take);
                    inside |= ended.is_err();
                    ended
                });
                self.unless_alone(ended, inside, &mut |see| {
                    self.texts(rest, String::new(), input, locals, see)
                })
            }
        }
    }

    fn objects<'p>(
        &self,
        entries: &'p [(Plan, Plan)],
        so_far: Map<String, Value>,
        input: &V<'v, 'p>,
        locals: Locals<'_, 'v, 'p>,
        take: Take<'_, 'v, 'p>,
    ) -> Flow {
        let Some(((key, value), rest)) = entries.split_first() else {
            return take(V::Own(Value::Object(so_far)));
        };
        let mut inside = false;
        let ended = self.pairs(key, value, input, locals, &mut |key, value| {
            let mut object = so_far.clone();
            object.insert(key_of(key.clone())?, value.into_owned());
            let ended = self.objects(rest, object, input, locals, take);
            inside |= ended.is_err();
            ended
        });
        self.unless_alone(ended, inside, &mut |see| {
            self.objects(rest, Map::new(), input, locals, see)
        })
    }
}

fn local<'v, 'p>(mut locals: Locals<'_, 'v, 'p>, at: usize) -> V<'v, 'p> {
    for _ in 0..at {
        locals = locals.and_then(|local| local.outer);
    }
    // Lowering has found the variable among those that are bound here.
    locals.map_or(V::In(&NULL), |local| local.value.clone())
}

fn calculate<'v, 'p>(left: V<'v, 'p>, op: Math, right: V<'v, 'p>) -> Result<V<'v, 'p>, Stop> {
    let right = match right {
        V::In(value) => Cow::Borrowed(value),
        V::Plan(value) => {
            return math::math(left.into_owned(), op, Cow::Borrowed(value)).map(V::Own);
        }
        V::Own(value) => Cow::Owned(value),
    };
    math::math(left.into_owned(), op, right).map(V::Own)
}

fn key_of(key: V<'_, '_>) -> Result<String, Stop> {
    match key {
        V::Own(Value::String(key)) => Ok(key),
        key => match key.get() {
            Value::String(key) => Ok(key.clone()),
            // jaq goes on with such an object, as long as it is not printed.
            _ => Err(Stop::GaveUp),
        },
    }
}

fn print_into(into: &mut String, value: &Value, format: Format) -> Flow {
    match (format, value) {
        (Format::Text, Value::String(text)) => into.push_str(text),
        (Format::Uri, Value::String(text)) => print::write_uri(into, text),
        (Format::Uri, value) => print::write_uri(into, &print::json(value)),
        (Format::Text | Format::Json, value) => print::write_json(into, value),
    }
    builtin::limit_text(into.len())
}
