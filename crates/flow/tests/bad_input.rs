//! What is wrong with a flow is said in one line that names the file, the place and the remedy.

use glasshouse_flow::{FILE_BYTES_MAX, Flow};
use proptest::prelude::*;

/// The line that this text is refused with.
fn refusal(text: &str) -> String {
    match Flow::from_str(text, "f.toml") {
        Ok(flow) => panic!("this was taken for a flow: {flow:?}"),
        Err(error) => error.to_string(),
    }
}

/// A node `a` with these further lines; the first of them is line 4.
fn node(lines: &str) -> String {
    format!("[[node]]\nname = \"a\"\nrun = \"true\"\n{lines}")
}

#[test]
fn text_that_is_no_toml_is_refused_at_its_place() {
    assert_eq!(
        refusal("[[node]]\nname = \"a\nrun = \"true\"\n"),
        "f.toml:2:10: not TOML: invalid basic string, expected `\"`; correct the text here"
    );
    assert_eq!(
        refusal("[[node]]\nname = \"a\"\nname = \"b\"\n"),
        "f.toml:3:1: not TOML: duplicate key; correct the text here"
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    assert_eq!(
        refusal(&node("retires = 1")),
        "f.toml:4:1: unknown key `retires` in [[node]]; did you mean `retries`?"
    );
    assert_eq!(
        refusal(&node("  depends_on = []")),
        "f.toml:4:3: unknown key `depends_on` in [[node]]; its keys are name, run, lane, needs, \
         timeout, retries, backoff, env, cwd, output"
    );
    assert_eq!(
        refusal("[lanes.disk]\nlimt = 1"),
        "f.toml:2:1: unknown key `limt` in [lanes.NAME]; did you mean `limit`?"
    );
    assert_eq!(
        refusal("nodes = []"),
        "f.toml:1:1: unknown key `nodes` in the flow; did you mean `node`?"
    );
}

#[test]
fn of_several_unknown_keys_the_first_in_the_file_is_named() {
    assert!(refusal(&node("zeta = 1\nalpha = 1")).contains("`zeta`"));
}

#[test]
fn a_missing_key_is_refused_where_its_table_begins() {
    assert_eq!(
        refusal("\n[[node]]\nrun = \"true\""),
        "f.toml:2:1: [[node]] has no `name`; add name = \"build\""
    );
    assert_eq!(
        refusal("[[node]]\nname = \"a\""),
        "f.toml:1:1: [[node]] has no `run`; add run = \"COMMAND\""
    );
    assert_eq!(
        refusal("[lanes.disk]\n"),
        "f.toml:1:1: [lanes.NAME] has no `limit`; add limit = 2"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_one_that_would_do() {
    assert_eq!(
        refusal(&node("retries = \"3\"")),
        "f.toml:4:11: `retries` is of type string; write a whole number such as 2"
    );
    assert_eq!(
        refusal(&node("timeout = 5")),
        "f.toml:4:11: `timeout` is of type integer; write a number and a unit such as \"250ms\", \
         \"1.5s\" or \"2m\""
    );
    assert_eq!(
        refusal(&node("env = { N = 1 }")),
        "f.toml:4:13: `N` is of type integer; write a string, in quotes"
    );
    assert_eq!(
        refusal("[node]\nname = \"a\""),
        "f.toml:1:1: `node` is of type table; write [[node]] in double brackets"
    );
    assert_eq!(
        refusal("lanes = 3"),
        "f.toml:1:9: `lanes` is of type integer; write [lanes.NAME] with a `limit`"
    );
    assert_eq!(
        refusal("[[node]]\nname = \"a\"\nrun = [\"echo\", 1]"),
        "f.toml:3:16: `run` is of type integer; write a string for the shell or an array such as \
         [\"wc\", \"-l\", \"FILE\"]"
    );
}

#[test]
fn a_limit_of_zero_is_refused() {
    assert_eq!(
        refusal("[lanes.disk]\nlimit = 0\n"),
        "f.toml:2:9: `limit` is 0; write a whole number from 1 to 65536"
    );
    assert_eq!(
        refusal("global_limit = 0\n"),
        "f.toml:1:16: `global_limit` is 0; write a whole number from 1 to 65536"
    );
    assert_eq!(
        refusal("[lanes.disk]\nlimit = -2\n"),
        "f.toml:2:9: `limit` is -2; write a whole number from 1 to 65536"
    );
    assert_eq!(
        refusal(&node("retries = 99999999999999999999999")),
        "f.toml:4:11: `retries` is 99999999999999999999999; write a whole number from 0 to \
         4294967295"
    );
}

#[test]
fn a_duration_that_cannot_be_used_is_refused_with_the_reason() {
    const REMEDY: &str = "; write a number and a unit such as \"250ms\", \"1.5s\" or \"2m\"";
    for (text, reason) in [
        ("-1s", "is negative"),
        ("10", "has no unit"),
        ("10 parsecs", "has a unit that is not known"),
        ("soon", "is not a number and a unit"),
        ("0s", "is nothing at all"),
        ("9000h", "is too large"),
    ] {
        let expected = format!("f.toml:4:11: `timeout` = \"{text}\" {reason}{REMEDY}");
        assert_eq!(refusal(&node(&format!("timeout = \"{text}\""))), expected);
    }
    let expected = format!("f.toml:4:11: `backoff` = \"-5ms\" is negative{REMEDY}");
    assert_eq!(refusal(&node("backoff = \"-5ms\"")), expected);
}

#[test]
fn an_output_size_outside_its_range_is_refused() {
    assert_eq!(
        refusal(&node("output = \"1B\"")),
        "f.toml:4:10: `output` = \"1B\" is too small; write a number and a unit such as \"64KiB\", \
         from \"256B\" to \"64MiB\""
    );
    assert!(refusal(&node("output = \"1GiB\"")).contains("is too large"));
    assert!(refusal(&node("output = \"64kb\"")).contains("has a unit that is not known"));
}

#[test]
fn a_lane_that_is_not_declared_is_refused() {
    let text = format!("[lanes.disk]\nlimit = 1\n{}", node("lane = \"dsik\""));
    assert_eq!(
        refusal(&text),
        "f.toml:6:8: unknown lane `dsik`; did you mean `disk`?"
    );
    assert_eq!(
        refusal(&node("lane = \"network\"")),
        "f.toml:4:8: unknown lane `network`; add [lanes.network] with a `limit`"
    );
}

#[test]
fn a_node_twice_is_refused_with_the_first_ones_line() {
    assert_eq!(
        refusal(&format!("{}\n{}", node(""), node(""))),
        "f.toml:6:8: node `a` is defined twice, first on line 2; rename one of the two"
    );
}

#[test]
fn a_need_that_is_no_node_is_refused() {
    assert_eq!(
        refusal(&node("needs = [\"b\"]")),
        "f.toml:4:10: node `a` needs `b`, which is no node; add a node of this name or remove the \
         need"
    );
    let text = format!(
        "[[node]]\nname = \"compile\"\nrun = \"true\"\n{}",
        node("needs = [\"complie\"]")
    );
    assert_eq!(
        refusal(&text),
        "f.toml:7:10: node `a` needs `complie`, which is no node; did you mean `compile`?"
    );
}

#[test]
fn a_need_written_twice_is_refused() {
    let text = format!(
        "[[node]]\nname = \"b\"\nrun = \"b\"\n{}",
        node("needs = [\"b\", \"b\"]")
    );
    assert_eq!(
        refusal(&text),
        "f.toml:7:15: node `a` needs `b` twice; name it once"
    );
}

#[test]
fn a_cycle_is_refused_with_its_members_in_order() {
    let nodes = [
        ("first", "[]"),
        ("link", "[\"first\", \"bind\"]"),
        ("parse", "[\"link\"]"),
        ("bind", "[\"parse\"]"),
    ]
    .map(|(name, needs)| format!("[[node]]\nname = \"{name}\"\nrun = \"x\"\nneeds = {needs}\n"));
    assert_eq!(
        refusal(&nodes.concat()),
        "f.toml:8:19: the nodes form a cycle: link needs bind, bind needs parse, parse needs link; \
         remove one of these needs"
    );
    assert_eq!(
        refusal(&node("needs = [\"a\"]")),
        "f.toml:4:10: the nodes form a cycle: a needs a; remove one of these needs"
    );
}

#[test]
fn a_name_that_the_log_and_labels_cannot_show_is_refused() {
    assert_eq!(
        refusal("[[node]]\nname = \"a b\"\nrun = \"true\""),
        "f.toml:2:8: `name` = \"a b\" holds ' '; use 1 to 64 bytes of letters, digits and _ - . : /"
    );
    assert!(refusal("[[node]]\nname = \"\"\nrun = \"true\"").contains("has 0 bytes"));
    assert!(refusal("[lanes.\"a\\nb\"]\nlimit = 1").contains(r"holds '\n'"));
}

#[test]
fn a_command_that_is_empty_is_refused() {
    for run in ["\"\"", "\"  \"", "[]", "[\"\"]"] {
        let line = refusal(&format!("[[node]]\nname = \"a\"\nrun = {run}"));
        assert!(line.starts_with("f.toml:3:7: `run` "), "{line}");
        assert!(
            line.ends_with("; write the command that the node runs"),
            "{line}"
        );
    }
}

#[test]
fn an_environment_that_no_command_can_have_is_refused() {
    assert_eq!(
        refusal(&node("env = { \"A=B\" = \"c\" }")),
        "f.toml:4:9: `env` has the variable \"A=B\"; name it without = and NUL, in at least one \
         letter"
    );
    assert_eq!(
        refusal(&node("env = { A = \"c\\u0000\" }")),
        "f.toml:4:13: `A` holds a NUL; remove it: no command can be given one"
    );
}

#[test]
fn a_flow_without_nodes_is_refused() {
    const LINE: &str = "the flow has no nodes; add a [[node]] with `name` and `run`";
    assert_eq!(refusal(""), format!("f.toml: {LINE}"));
    assert_eq!(refusal("node = []"), format!("f.toml:1:8: {LINE}"));
}

#[test]
fn columns_count_characters() {
    let line = refusal("name = \"äöü\"; x");
    assert!(line.starts_with("f.toml:1:13: "), "{line}");
}

#[test]
fn a_file_that_cannot_be_read_is_refused_by_its_name() {
    let refusal = |path: &std::path::Path| match Flow::from_path(path) {
        Ok(flow) => panic!("this was taken for a flow: {flow:?}"),
        Err(error) => error.to_string(),
    };
    let dir = tempfile::tempdir().expect("a directory for the test");
    let missing = dir.path().join("no.toml");
    assert_eq!(
        refusal(&missing),
        format!(
            "{}: cannot be read: No such file or directory (os error 2); name a flow file that \
             exists and can be read",
            missing.display()
        )
    );
    assert!(refusal(dir.path()).contains("cannot be read: Is a directory"));
    let binary = dir.path().join("binary.toml");
    std::fs::write(&binary, b"name = \"\xff\"").expect("the directory can be written");
    assert!(refusal(&binary).contains("it is not UTF-8"));
    let long = dir.path().join("long.toml");
    std::fs::write(&long, vec![b'#'; FILE_BYTES_MAX + 1]).expect("the directory can be written");
    assert!(refusal(&long).ends_with("is longer than 4194304 bytes; split the flow"));
}

#[test]
fn a_message_does_not_repeat_more_than_a_piece_of_a_long_text() {
    let long = "x".repeat(100_000);
    for text in [
        format!("{long} = 1"),
        node(&format!("{long} = 1")),
        node(&format!("timeout = \"{long}\"")),
        node(&format!("retries = {}", "9".repeat(100_000))),
        node(&format!("lane = \"{long}\"")),
        node(&format!("needs = [\"{long}\"]")),
        node(&format!("env = {{ {long} = 1 }}")),
        format!("[[node]]\nname = \"{long}\"\nrun = \"true\""),
        format!("name = \"{long}\\u0000\""),
        long.clone(),
    ] {
        let line = refusal(&text);
        assert!(line.len() < 500, "{} bytes: {}", line.len(), &line[..500]);
    }
}

/// Pieces of flows, well and badly formed, so that random texts reach past the TOML reader.
const PIECES: [&str; 26] = [
    "[[node]]\n",
    "[node]\n",
    "[lanes.a]\n",
    "[lanes]\n",
    "name = \"a\"\n",
    "name = \"b\"\n",
    "run = \"x\"\n",
    "run = [\"x\", \"y\"]\n",
    "run = []\n",
    "lane = \"a\"\n",
    "needs = [\"a\"]\n",
    "needs = [\"b\", \"a\"]\n",
    "limit = 1\n",
    "limit = 0\n",
    "limit = 0x_f\n",
    "timeout = \"1s\"\n",
    "timeout = \"\u{2028}\"\n",
    "retries = 1\n",
    "retries = 1.5\n",
    "env = { A = \"b\" }\n",
    "[node.env]\n",
    "\"a\\nb\" = 1\n",
    "output = \"1KiB\"\n",
    "global_limit = 2\n",
    "cwd = \"\"\n",
    "\u{e9} = 1\n",
];

fn is_one_line(text: &str) -> bool {
    !text.contains(char::is_control) && !text.contains(['\u{2028}', '\u{2029}'])
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_or_refused_in_one_line(text in any::<String>()) {
        if let Err(error) = Flow::from_str(&text, "f.toml") {
            prop_assert!(is_one_line(&error.to_string()), "{}", error);
        }
    }

    #[test]
    fn shuffled_pieces_of_flows_are_read_or_refused_in_one_line(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12),
    ) {
        let text = pieces.concat();
        match Flow::from_str(&text, "f.toml") {
            Ok(flow) => prop_assert!(!flow.nodes().is_empty()),
            Err(error) => {
                let line = error.to_string();
                prop_assert!(is_one_line(&line), "{}", line);
                prop_assert!(line.starts_with("f.toml:"), "{}", line);
                if let Some(place) = error.place() {
                    prop_assert!(place.line <= text.lines().count() + 1, "{}", line);
                }
            }
        }
    }
}
