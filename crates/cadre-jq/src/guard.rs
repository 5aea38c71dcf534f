//! What is put into the syntax tree before jaq runs it: checks that it ends and stays small, and
//! arithmetic that keeps whole numbers whole.
//!
//! jaq itself has no limits. Its loops are replaced in `prelude`; here every place where the tree
//! itself can multiply work or size gets a call to one of the functions of `interp`.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{self, BinaryOp, Def, Pattern};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

use crate::tree::Term;

/// Counts a step.
pub(crate) const TICK: &str = "cadre_tick";
/// Counts a step and looks at the size of its input.
pub(crate) const CHECK: &str = "cadre_check";
/// Variable of the rewritten `a += b`; no author can write it, since `check` knows no such name.
const SLOT: &str = "$cadre_slot";

/// Name of the checked function for an operator; the others cannot make much out of little.
fn checked(op: Math) -> Option<&'static str> {
    match op {
        Math::Add => Some("cadre_add"),
        Math::Mul => Some("cadre_mul"),
        Math::Div => Some("cadre_div"),
        Math::Sub | Math::Rem => None,
    }
}

/// The term with checks put in.
pub(crate) fn guard(term: Term<'_>) -> Term<'_> {
    use parse::Term::*;
    match term {
        Id | Recurse | Num(_) | Break(_) | Var(_) | Arr(None) => term,
        Str(format, parts) => {
            let inner = parts.iter().filter(|part| matches!(part, StrPart::Term(_))).count();
            let parts = parts.into_iter().map(|part| match part {
                StrPart::Term(term) => StrPart::Term(guard(term)),
                part => part,
            });
            let text = Str(format, parts.collect());
            if inner > 1 { then(text, CHECK) } else { text }
        }
        Arr(Some(inner)) => Arr(Some(Box::new(then(guard(*inner), TICK)))),
        Obj(entries) => Obj(entries
            .into_iter()
            .map(|(key, value)| match value {
                // A key without a value may be a text with parts; `{"a\(1)"}` needs it as it is.
                None => (key, None),
                Some(value) => (guard(key), Some(guard(value))),
            })
            .collect()),
        Neg(inner) => Neg(boxed(*inner)),
        BinOp(left, op, right) => operator(*left, op, *right),
        Label(name, inner) => Label(name, boxed(*inner)),
        Fold(name, source, pattern, args) => {
            let args = args.into_iter().enumerate().map(|(at, arg)| match at {
                1 => then(guard(arg), CHECK),
                _ => guard(arg),
            });
            Fold(name, boxed(*source), guard_pattern(pattern), args.collect())
        }
        TryCatch(body, catch) => TryCatch(boxed(*body), catch.map(|catch| boxed(*catch))),
        IfThenElse(branches, otherwise) => IfThenElse(
            branches.into_iter().map(|(condition, then)| (guard(condition), guard(then))).collect(),
            otherwise.map(|otherwise| boxed(*otherwise)),
        ),
        Def(definitions, body) => {
            Def(definitions.into_iter().map(guard_definition).collect(), boxed(*body))
        }
        Call(name, args) => Call(name, args.into_iter().map(guard).collect()),
        Path(head, path) => Path(boxed(*head), guard_path(path)),
    }
}

fn operator<'s>(left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Term<'s> {
    let (left, right) = (guard(left), guard(right));
    match op {
        BinaryOp::Comma => {
            binary(left, BinaryOp::Comma, binary(call(TICK), BinaryOp::Pipe(None), right))
        }
        BinaryOp::Math(math) => match checked(math) {
            Some(name) => Term::Call(name, vec![left, right]),
            None => binary(left, BinaryOp::Math(math), right),
        },
        BinaryOp::UpdateMath(math) => match checked(math) {
            Some(name) => {
                let new = Term::Call(name, vec![Term::Id, Term::Var(SLOT)]);
                let update = binary(left, BinaryOp::Update, new);
                binary(right, BinaryOp::Pipe(Some(Pattern::Var(SLOT))), update)
            }
            None => binary(left, BinaryOp::UpdateMath(math), right),
        },
        BinaryOp::Pipe(Some(pattern)) => {
            binary(left, BinaryOp::Pipe(Some(guard_pattern(pattern))), right)
        }
        op => binary(left, op, right),
    }
}

fn guard_pattern(pattern: Pattern<&str>) -> Pattern<&str> {
    match pattern {
        Pattern::Var(_) => pattern,
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(guard_pattern).collect()),
        Pattern::Obj(entries) => Pattern::Obj(
            entries.into_iter().map(|(key, value)| (guard(key), guard_pattern(value))).collect(),
        ),
    }
}

fn guard_definition<'s>(definition: Def<&'s str, Term<'s>>) -> Def<&'s str, Term<'s>> {
    let body = binary(call(TICK), BinaryOp::Pipe(None), guard(definition.body));
    Def { name: definition.name, args: definition.args, body }
}

fn guard_path<'s>(path: Path<Term<'s>>) -> Path<Term<'s>> {
    let parts = path.0.into_iter().map(|(part, optional)| {
        let part = match part {
            Part::Index(index) => Part::Index(guard(index)),
            Part::Range(from, to) => Part::Range(from.map(guard), to.map(guard)),
        };
        (part, optional)
    });
    Path(parts.collect())
}

fn boxed(term: Term<'_>) -> Box<Term<'_>> {
    Box::new(guard(term))
}

fn call(name: &str) -> Term<'_> {
    Term::Call(name, Vec::new())
}

fn binary<'s>(left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Term<'s> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

/// `term | name`.
fn then<'s>(term: Term<'s>, name: &'s str) -> Term<'s> {
    binary(term, BinaryOp::Pipe(None), call(name))
}
