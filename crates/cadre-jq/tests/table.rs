//! What expressions answer. Expected values follow the rules of the jq manual.

use cadre_jq::{Expr, Vars};
use serde_json::{Value, json};

/// All outputs, as an array; an error as `{"error": true}`.
fn run(source: &str, input: &Value) -> Value {
    let settings = json!({"region": "eu", "size": 50});
    let lookup = json!({"departments": {"7": {"name": "Sales"}}});
    let vars = Vars::new().with("$settings", &settings).with("$lookup", &lookup);
    let expr = Expr::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let native = match expr.all(input, &vars) {
        Ok(outputs) => outputs.into_iter().map(std::borrow::Cow::into_owned).collect(),
        Err(_) => json!({"error": true}),
    };
    let jaq = match expr.all_in_jaq(input, &vars) {
        Ok(outputs) => Value::Array(outputs),
        Err(_) => json!({"error": true}),
    };
    assert_eq!(native.to_string(), jaq.to_string(), "the plan and jaq differ on {source}");
    native
}

#[track_caller]
fn check(source: &str, input: Value, expected: Value) {
    let got = run(source, &input);
    assert_eq!(got.to_string(), expected.to_string(), "{source} on {input}");
}

#[track_caller]
fn fails(source: &str, input: Value) {
    check(source, input, json!({"error": true}));
}

#[test]
fn paths() {
    let employee =
        json!({"name": {"first": "Ada", "last": null}, "tags": ["a", "b", "c"], "odd key": 1});
    check(".", json!(1), json!([1]));
    check(".name.first", employee.clone(), json!(["Ada"]));
    check(".name.last.deeper", employee.clone(), json!([null]));
    check(".missing.deeper", employee.clone(), json!([null]));
    check(".[\"odd key\"]", employee.clone(), json!([1]));
    check(".\"odd key\"", employee.clone(), json!([1]));
    check(
        ".tags[0], .tags[-1], .tags[9], .tags[-9]",
        employee.clone(),
        json!(["a", "c", null, null]),
    );
    check(".tags[]", employee.clone(), json!(["a", "b", "c"]));
    check(".tags[1:]", employee.clone(), json!([["b", "c"]]));
    check(".tags[:-1]", employee.clone(), json!([["a", "b"]]));
    check(".tags[2:1]", employee.clone(), json!([[]]));
    check(".name.first[1:]", employee.clone(), json!(["da"]));
    check("[.name[]]", employee.clone(), json!([["Ada", null]]));
    check(".tags.x?", employee.clone(), json!([]));
    check("[.tags[] | .x?]", employee.clone(), json!([[]]));
    check("\"äöü\" | .[1:2]", json!(null), json!(["ö"]));
    fails(".tags.x", employee.clone());
    fails(".name[0]?, .tags[\"x\"]", employee.clone());
    fails(".odd[]", employee);
    check("try .x", json!("text"), json!([]));
}

#[test]
fn lookups_and_settings() {
    check("$lookup.departments[.id | tostring].name", json!({"id": 7}), json!(["Sales"]));
    check("$lookup.departments[\"\\(.id)\"].name", json!({"id": 8}), json!([null]));
    check("$settings.region", json!(null), json!(["eu"]));
    check("$secrets.key", json!(null), json!([null]));
    check("{$settings}", json!(null), json!([{"settings": {"region": "eu", "size": 50}}]));
}

#[test]
fn alternatives_and_conditions() {
    check(".a // \"none\"", json!({"a": null}), json!(["none"]));
    check(".a // \"none\"", json!({"a": false}), json!(["none"]));
    check(".a // \"none\"", json!({"a": 0}), json!([0]));
    check("(false, null, 1) // 42", json!(null), json!([1]));
    check("empty // 42", json!(null), json!([42]));
    check("(false, null) // (1, 2)", json!(null), json!([1, 2]));
    check("if . then 1 else 2 end", json!(0), json!([1]));
    check("if . == 1 then \"a\" elif . == 2 then \"b\" end", json!(2), json!(["b"]));
    check("if . == 1 then \"a\" end", json!(3), json!([3]));
    check("(true, false) and (true, false)", json!(null), json!([true, false, false]));
    check("(true, false) or false", json!(null), json!([true, false]));
    check("[true, false | not]", json!(null), json!([[false, true]]));
    check("select(.a == 1)", json!({"a": 1}), json!([{"a": 1}]));
    check("select(.a == 1)", json!({"a": 2}), json!([]));
    check("[.[] | select(type == \"number\")]", json!([1, "a", null, 2.5]), json!([[1, 2.5]]));
}

#[test]
fn construction() {
    check(
        "{a: .x, \"b\": 1, (\"c\" + \"d\"): 2}",
        json!({"x": 9}),
        json!([{"a": 9, "b": 1, "cd": 2}]),
    );
    check("{x, y}", json!({"x": 1}), json!([{"x": 1, "y": null}]));
    check(
        "{a: (1, 2), b: (3, 4)}",
        json!(null),
        json!([{"a":1,"b":3},{"a":1,"b":4},{"a":2,"b":3},{"a":2,"b":4}]),
    );
    check("[.a, .b, empty]", json!({"a": 1}), json!([[1, null]]));
    check("[]", json!(null), json!([[]]));
    check("{}", json!(null), json!([{}]));
    check("\"team:\\(.id)\"", json!({"id": 5}), json!(["team:5"]));
    check(
        "\"\\(.a)-\\(.b)\"",
        json!({"a": null, "b": [1, {"c": "d"}]}),
        json!(["null-[1,{\"c\":\"d\"}]"]),
    );
    check(
        "@uri \"/jobs/\\(.)/x y\"",
        json!("a/b c&d=ä"),
        json!(["/jobs/a%2Fb%20c%26d%3D%C3%A4/x y"]),
    );
    check(".a as $x | .b as $y | [$x, $y]", json!({"a": 1, "b": 2}), json!([[1, 2]]));
    check("reduce .[] as $x (0; . + $x)", json!([1, 2, 3]), json!([6]));
    check(". as [$a, {b: $c}] | [$a, $c]", json!([1, {"b": 2}]), json!([[1, 2]]));
}

#[test]
fn numbers() {
    check("1 + 2, 7 - 9, 3 * 4, 7 % 3, -7 % 3", json!(null), json!([3, -2, 12, 1, -1]));
    check("6 / 2, 7 / 2", json!(null), json!([3, 3.5]));
    check(".", json!(12345678901234567890_u64), json!([12345678901234567890_u64]));
    check(". + 1", json!(9007199254740993_i64), json!([9007199254740994_i64]));
    check("tostring", json!(12345678901234567890_u64), json!(["12345678901234567890"]));
    check("tostring", json!(38.5), json!(["38.5"]));
    check("tostring", json!(1e-7), json!(["1e-7"]));
    check("tostring", json!(-0.0), json!(["-0.0"]));
    check("\"12\" | tonumber", json!(null), json!([12]));
    check("\" 12 \" , \"-3.50\", \"1e3\" | tonumber", json!(null), json!([12, -3.5, 1000.0]));
    check("1.50 | tostring", json!(null), json!(["1.50"]));
    check("1.5, 1.50, 1e3", json!(null), json!([1.5, 1.5, 1000.0]));
    check("floor, ceil, round", json!(2.5), json!([2, 3, 3]));
    check("-.", json!(5), json!([-5]));
    check("length", json!(-5), json!([5]));
    check("1 == 1.0, 1 < 1.5", json!(null), json!([true, true]));
    fails("\"12a\" | tonumber", json!(null));
    fails("\"\", \"1 2\" | tonumber", json!(null));
    fails("\"1,234.50\" | tonumber", json!(null));
    fails("{} - 1", json!(null));
    fails("1 % 0", json!(null));
}

#[test]
fn texts() {
    check("ascii_downcase, ascii_upcase", json!("aBÄ"), json!(["abÄ", "ABÄ"]));
    check(
        "ltrimstr(\"a\"), rtrimstr(\"c\"), ltrimstr(\"x\")",
        json!("abc"),
        json!(["bc", "ab", "abc"]),
    );
    check("ltrimstr(\"a\")", json!(5), json!([5]));
    check("startswith(\"a\"), endswith(\"a\")", json!("abc"), json!([true, false]));
    check("split(\", \")", json!("a, b, c"), json!([["a", "b", "c"]]));
    check("split(\"\")", json!("ab"), json!([["a", "b"]]));
    check("join(\", \")", json!(["a", null, 1, true]), json!(["a, , 1, true"]));
    check("join(\",\")", json!([]), json!([""]));
    check("test(\"^a.c$\")", json!("abc"), json!([true]));
    check("trim", json!("  a b\t"), json!(["a b"]));
    check("sub(\"a\"; \"b\")", json!("aa"), json!(["ba"]));
    check("\"a\" * 3", json!(null), json!(["aaa"]));
    check("length", json!("äb"), json!([2]));
    check("tojson", json!({"a": "\u{7f}\n\"é"}), json!(["{\"a\":\"\\u007f\\n\\\"é\"}"]));
    check("@base64", json!("key:x"), json!(["a2V5Ong="]));
    check("ascii_downcase | contains(\"bc\")", json!("ABCD"), json!([true]));
    fails("ascii_downcase", json!(null));
    fails("startswith(\"a\")", json!(1));
}

#[test]
fn collections() {
    check("map(. * 2)", json!([1, 2]), json!([[2, 4]]));
    check("length", json!({"a": 1}), json!([1]));
    check("length", json!(null), json!([0]));
    check("keys", json!({"b": 1, "a": 2}), json!([["a", "b"]]));
    check("keys", json!(["x", "y"]), json!([[0, 1]]));
    check("has(\"a\"), has(\"b\")", json!({"a": null}), json!([true, false]));
    check("has(0), has(5)", json!([1]), json!([true, false]));
    check("contains({a: [\"x\"]})", json!({"a": ["xyz"], "b": 1}), json!([true]));
    check("first, last", json!([1, 2, 3]), json!([1, 3]));
    check("first(.[]), last(.[])", json!([1, 2]), json!([1, 2]));
    check("first(.[])", json!([]), json!([]));
    check("add", json!([1, 2]), json!([3]));
    check("add", json!(["a", "b"]), json!(["ab"]));
    check("add", json!([]), json!([null]));
    check("add(.[].x)", json!([{"x": 1}, {"x": 2}]), json!([3]));
    check("any, all", json!([true, false]), json!([true, false]));
    check("any(. > 1), all(. > 0)", json!([1, 2]), json!([true, true]));
    check("any(.[]; . == 3)", json!([1, 2]), json!([false]));
    check("to_entries", json!({"a": 1}), json!([[{"key": "a", "value": 1}]]));
    check(
        "from_entries",
        json!([{"key": "a", "value": 1}, {"name": "b", "v": 2}, {"k": "c"}]),
        json!([{"a": 1, "b": 2, "c": null}]),
    );
    check("with_entries(.value += 1)", json!({"a": 1}), json!([{"a": 2}]));
    check("with_entries(select(.value != null))", json!({"a": 1, "b": null}), json!([{"a": 1}]));
    check("map(.n) | sort | unique", json!([{"n": 2}, {"n": 1}, {"n": 2}]), json!([[1, 2]]));
    check("sort_by(.d) | last | .n", json!([{"d": "2", "n": 1}, {"d": "1", "n": 2}]), json!([1]));
    check("flatten", json!([1, [2, [3]]]), json!([[1, 2, 3]]));
    check("map(values)", json!([1, null, 2]), json!([[1, 2]]));
    check(
        "[.[] | type]",
        json!([null, true, 1, "a", [], {}]),
        json!([["null", "boolean", "number", "string", "array", "object"]]),
    );
    check("[1, 2, 3] - [2]", json!(null), json!([[1, 3]]));
    check("{a: 1, b: 2} + {b: 3}", json!(null), json!([{"a": 1, "b": 3}]));
    check("{a: {b: 1}} * {a: {c: 2}}", json!(null), json!([{"a": {"b": 1, "c": 2}}]));
    check("[limit(3; range(10))]", json!(null), json!([[0, 1, 2]]));
    check(".a |= . + 1", json!({"a": 1}), json!([{"a": 2}]));
    check(".a += 1 | .b *= 2", json!({"a": 1, "b": 4}), json!([{"a": 2, "b": 8}]));
    check("try error(\"x\") catch .", json!(null), json!(["x"]));
    check("[.[] | if . == 0 then error(\"zero\") else . end]?", json!([1, 0]), json!([]));
    check("[recurse(if . < 3 then . + 1 else empty end)]", json!(0), json!([[0, 1, 2, 3]]));
    check("[while(. < 3; . + 1)]", json!(0), json!([[0, 1, 2]]));
    check("def double: . * 2; double | double", json!(2), json!([8]));
    check("\"2015-03-05T23:51:47Z\" | fromdate", json!(null), json!([1425599507]));
    check("[.. | numbers]", json!([1, [2]]), json!([[1, 2]]));
    check("nan, infinite", json!(null), json!([null, f64::MAX]));
    fails("error(\"x\")", json!(null));
    fails("join(\",\")", json!([[1]]));
}

#[test]
fn orders_of_values() {
    check(
        "[.[0] < .[1], .[1] < .[2], .[2] < .[3], .[3] < .[4], .[4] < .[5], .[5] < .[6]] | all",
        json!([null, false, true, 1, "a", [], {}]),
        json!([true]),
    );
    check("{a: 1} < {a: 2}, {a: 2} < {b: 1}, [1] < [1, 0]", json!(null), json!([true, true, true]));
}
