//! Bad and runaway expressions end with an error that says what to do.

use cadre_jq::{Expr, Vars};
use proptest::prelude::*;
use serde_json::{Value, json};

fn runs_into(source: &str, expected: &str) {
    let expr = Expr::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let error = expr.all(&Value::Null, &Vars::new()).map(|outputs| outputs.len());
    let message = error.expect_err(source).message;
    assert!(message.contains(expected), "{source}: {message}");
}

#[test]
fn runaways_end() {
    runs_into("range(1e12)", "steps");
    runs_into("last(repeat(1))", "steps");
    runs_into("until(false; .)", "steps");
    runs_into("try repeat(1) catch .", "steps");
    runs_into("reduce range(100) as $i (\"x\"; . + .)", "bytes");
    runs_into("reduce range(100) as $i (\"x\"; \"\\(.)\\(.)\")", "bytes");
    runs_into(
        "reduce (1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3) as $i (\"x\"; . + .)",
        "bytes",
    );
    runs_into("\"abc\" * 1000000000000", "bytes");
    runs_into("reduce range(100000) as $i (null; [.])", "deep");
    runs_into(&["(0,1)"; 24].join("+"), "steps");
    let first = Expr::compile("range(1e12)").expect("compiles");
    let output = first.first(&Value::Null, &Vars::new()).expect("the first is there");
    assert_eq!(output.as_deref(), Some(&json!(0)));
}

#[test]
fn compile_errors_help() {
    for (source, message, offset, hint) in [
        (".a | frobnicate", "unknown function `frobnicate/0`", 5, "jq manual"),
        (".a | lenght", "unknown function `lenght/0`", 5, "did you mean `length`?"),
        ("startswith", "unknown function `startswith/0`", 0, "takes 1 arguments"),
        ("$foo.bar", "unknown variable `$foo`", 0, "$settings"),
        ("1 as $x | $y", "unknown variable `$y`", 10, "$settings"),
        ("env.HOME", "`env` is not available", 0, "environment"),
        ("now", "`now` is not available", 0, "$now"),
        (".a +", "the expression ends, but a value must follow", 4, ""),
        ("if . then 1", "", 11, "end"),
        (".a ) b", "unexpected `) b`", 3, ""),
        ("\"abc", "a text is not closed", 4, "\""),
        ("\"\\d\"", "unknown escape in a text", 2, "\\\\"),
        ("def f: 1 + f; f", "`f` calls itself", 11, "recurse"),
        ("", "the expression ends, but a value must follow", 0, ""),
    ] {
        let error = Expr::compile(source).expect_err(source);
        assert!(error.message.contains(message), "{source}: {error:?}");
        assert_eq!(error.offset, offset, "{source}: {error:?}");
        assert!(error.hint.clone().unwrap_or_default().contains(hint), "{source}: {error:?}");
    }
}

#[test]
fn templates() {
    let input = json!({"id": "a b", "n": null});
    let vars = Vars::new();
    let print = |expr: Result<Expr, cadre_jq::CompileError>| {
        let expr = expr.expect("compiles");
        assert!(expr.is_native());
        expr.first(&input, &vars).expect("runs").expect("one").as_str().map(str::to_owned)
    };
    assert_eq!(print(Expr::template("x/\\(.id)/\\(.n)")).as_deref(), Some("x/a b/null"));
    assert_eq!(print(Expr::path_template("/x y/\\(.id)")).as_deref(), Some("/x y/a%20b"));
    assert_eq!(print(Expr::template("plain")).as_deref(), Some("plain"));
    assert_eq!(print(Expr::template("")).as_deref(), Some(""));
    let expr = Expr::xml_template("<a b='\\(.id)'>\\(\"<&>\")</a>\n").expect("compiles");
    let text = expr.first(&input, &vars).expect("runs").expect("one").into_owned();
    assert_eq!(text, json!("<a b='a b'>&lt;&amp;&gt;</a>\n"));
    let error = Expr::template("a\\(.b").expect_err("not closed");
    assert_eq!(error.offset, 5, "{error:?}");
    let error = Expr::path_template("/\\($what)").expect_err("unknown");
    assert_eq!(error.offset, 3, "{error:?}");
    Expr::template("say \"hi\"").expect_err("a quote must be escaped");
}

#[test]
fn variables_are_listed() {
    let expr =
        Expr::compile("$settings.a as $x | [$x, $now, $settings.b, {$parent}]").expect("compiles");
    assert_eq!(expr.variables(), ["$settings", "$parent", "$now"]);
}

#[test]
fn deep_sources_are_refused() {
    for source in [
        "(",
        "[",
        "-",
        "try ",
        "1 as $x | ",
        "{a:",
        "if 1 then ",
        "def f: ",
        ".a | ",
        "\"\\(",
        "1 + ",
    ] {
        for times in [10_usize, 200, 3000] {
            let _ = Expr::compile(&source.repeat(times));
            let _ = Expr::compile(&format!("{}1", source.repeat(times)));
            let _ = Expr::template(&source.repeat(times));
        }
    }
    assert!(Expr::compile(&"1+".repeat(50_000)).is_err());
    let nested = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    assert!(Expr::compile(&nested).expect_err("too deep").message.contains("deep"));
}

/// Anything that looks a little like jq.
fn noise() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        ".",
        "..",
        ".a",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "\"",
        "\\(",
        "|",
        ",",
        "//",
        "?",
        "$settings",
        "$x",
        "as",
        "if",
        "then",
        "else",
        "end",
        "reduce",
        "def",
        "f",
        ":",
        ";",
        "1",
        "-1",
        "1.5e3",
        "+",
        "*",
        "/",
        "%",
        "==",
        "<",
        "and",
        "or",
        "not",
        "try",
        "catch",
        "error",
        "empty",
        "map(",
        "select(",
        "@uri",
        "@json",
        "=",
        "|=",
        "+=",
        "label",
        "break",
        "limit(",
        "first(",
        "ä",
        "#",
    ]);
    prop_oneof![prop::collection::vec(word, 0..20).prop_map(|words| words.join(" ")), "\\PC{0,40}",]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_compiles_or_is_refused(source in noise()) {
        let input = json!({"a": [1, "x", null]});
        let vars = Vars::new();
        for expr in [Expr::compile(&source), Expr::template(&source), Expr::path_template(&source)] {
            match expr {
                Ok(expr) => {
                    let _ = expr.all(&input, &vars);
                }
                Err(error) => prop_assert!(error.offset <= source.len()),
            }
        }
    }
}
