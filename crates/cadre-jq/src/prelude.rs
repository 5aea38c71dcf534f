//! The functions that expressions may call: jaq's, without what reaches the machine, and with
//! loops that count their rounds.
//!
//! Where jaq departs from the jq manual in what connectors use every day, the manual is followed:
//! `join` prints null as nothing, `ltrimstr` and `rtrimstr` pass on what is not a text,
//! `from_entries` knows all the names of keys and values, `tonumber` wants one number, and the
//! quotient of whole numbers that divide is whole. The native plan does the same.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jaq_core::load::parse::Def;

use crate::tree;

/// Not offered: each with what to do instead.
pub(crate) const WITHHELD: &[(&str, &str)] = &[
    ("env", "expressions cannot read the environment"),
    ("now", "use $now, the moment the run started"),
    ("localtime", "use gmtime: results must not depend on the machine"),
    ("strflocaltime", "use strftime: results must not depend on the machine"),
    ("halt", "use error"),
    ("halt_error", "use error"),
    ("input", "an expression has one input, `.`"),
    ("inputs", "an expression has one input, `.`"),
    ("debug", "expressions cannot print"),
    ("stderr", "expressions cannot print"),
    ("debug_empty", "expressions cannot print"),
    ("stderr_empty", "expressions cannot print"),
];

/// These take the place of jaq's of the same name and number of arguments. `null` and `type` are not
/// known yet where they stand: `[][0]` is null, and only numbers, booleans and null are below texts.
const OWN: &str = r#"
def repeat(f): def rec: f, (cadre_tick | rec); rec;
def recurse(f): def rec: ., (f | cadre_tick | rec); rec;
def while(cond; update): def rec: if cond then ., (update | cadre_tick | rec) else empty end; rec;
def until(cond; update): def rec: if cond then . else update | cadre_tick | rec end; rec;
def join($s): if length == 0 then "" else reduce .[] as $x ([][0];
  cadre_add(if . == [][0] then "" else cadre_add(.; $s) end;
    $x | if . == [][0] then "" elif . < "" then tostring else . end)) end;
def tonumber: if isnumber then . else [fromjson]
  | if length == 1 and (.[0] | isnumber) then .[0] else error("cannot parse as number") end end;
def from_entries: reduce .[] as $x ({}; . + {
  ($x | (if .key == [][0] then .k // .name // .Name // .K // .Key else .key end)
    | if . >= "" and . < [] then . else tojson end):
  ($x | if has("value") then .value elif has("v") then .v else .Value end)});
"#;

/// New ones: they stand for native functions that were given another name.
const WRAPPED: &str = r#"
def ltrimstr($s): if . >= "" and . < [] and $s >= "" and $s < [] then cadre_ltrimstr($s) else . end;
def rtrimstr($s): if . >= "" and . < [] and $s >= "" and $s < [] then cadre_rtrimstr($s) else . end;
"#;

/// Native functions of jaq that are only reached through a definition of [`WRAPPED`].
pub(crate) const RENAMED: &[(&str, &str)] =
    &[("ltrimstr", "cadre_ltrimstr"), ("rtrimstr", "cadre_rtrimstr")];

/// A definition of jaq's library or ours.
pub(crate) type Definition = Def<&'static str>;

/// Every definition, in an order in which each knows those before it.
fn definitions() -> &'static [Definition] {
    static DEFINITIONS: OnceLock<Vec<Definition>> = OnceLock::new();
    DEFINITIONS.get_or_init(|| {
        let parse = |text| jaq_core::load::parse(text, |parser| parser.defs()).unwrap_or_default();
        let own: Vec<Definition> = parse(OWN);
        let jaq = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        jaq.filter(|definition| !withheld(definition.name))
            .map(|definition| {
                let same = |own: &&Definition| {
                    own.name == definition.name && own.args.len() == definition.args.len()
                };
                own.iter().find(same).cloned().unwrap_or(definition)
            })
            .chain(parse(WRAPPED))
            .collect()
    })
}

pub(crate) fn withheld(name: &str) -> bool {
    WITHHELD.iter().any(|(known, _)| *known == name)
}

/// The definitions that a term needs: compiling all of them for every expression would cost more
/// time and memory than the expressions themselves.
pub(crate) fn needed(term: &tree::Term<'_>) -> Vec<Definition> {
    let mut names = BTreeSet::new();
    calls(term, &mut names);
    // jaq calls this one itself, for `[]` and for `try` without `catch`.
    let all = definitions();
    let mut keep = vec![false; all.len()];
    loop {
        let mut more = false;
        for (at, definition) in all.iter().enumerate() {
            if !keep[at] && names.contains(definition.name) {
                keep[at] = true;
                more = true;
                calls(&definition.body, &mut names);
            }
        }
        if !more {
            break;
        }
    }
    let kept = all.iter().zip(keep).filter(|(_, keep)| *keep);
    kept.map(|(definition, _)| definition.clone()).collect()
}

/// Names and numbers of arguments of all definitions.
pub(crate) fn signatures() -> impl Iterator<Item = (&'static str, usize)> {
    definitions().iter().map(|definition| (definition.name, definition.args.len()))
}

fn calls(term: &tree::Term<'_>, names: &mut BTreeSet<String>) {
    match term {
        tree::Term::Call(name, _) | tree::Term::Str(Some(name), _) if !names.contains(*name) => {
            names.insert((*name).to_owned());
        }
        _ => {}
    }
    tree::children(term, &mut |child| calls(child, names));
}

#[cfg(test)]
mod tests {
    use super::signatures;

    #[test]
    fn every_function_compiles_on_its_own() {
        for (name, count) in signatures() {
            let args = vec!["."; count].join(";");
            let call = if count == 0 { name.to_owned() } else { format!("{name}({args})") };
            crate::Expr::compile(&format!("[{call}] | .. |= ."))
                .unwrap_or_else(|error| panic!("{call}: {error}"));
        }
    }
}
