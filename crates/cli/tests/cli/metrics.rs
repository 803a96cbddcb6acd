//! A run's metrics, scraped while it is under way.

use crate::place::Place;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

const FLOW: &str = r#"
    [[node]]
    name = "waits"
    run = "while ! test -e scraped; do sleep 0.01; done"
"#;

fn scrape(addr: &str) -> String {
    let mut stream = TcpStream::connect(addr).expect("connected");
    write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn a_run_serves_its_metrics_at_the_address_that_it_prints() {
    let place = Place::new();
    place.write("flow.toml", FLOW);
    let mut command = place.command(&["run", "flow.toml", "--prometheus", "127.0.0.1:0"]);
    let mut run = command.stdout(Stdio::piped()).spawn().expect("run");
    let mut lines = BufReader::new(run.stdout.take().expect("piped")).lines();
    let first = lines.next().expect("a line").expect("text");
    let addr = first
        .strip_prefix("metrics: http://")
        .and_then(|rest| rest.strip_suffix("/metrics"));
    let addr = addr.unwrap_or_else(|| panic!("{first}"));
    let started = lines.next().expect("a line").expect("text");
    assert!(started.contains("started   waits"), "{started}");
    let answer = scrape(addr);
    assert!(
        answer.starts_with("HTTP/1.") && answer.contains(" 200 "),
        "{answer}"
    );
    for name in [
        "scheduler_ready_queue_depth",
        "tasks_running_total",
        "tasks_state_total",
        "task_run_latency_seconds_bucket",
        "task_wait_time_seconds_count",
        "task_ready_delay_seconds_sum",
    ] {
        assert!(answer.contains(name), "{name} in {answer}");
    }
    place.write("scraped", "");
    let rest = lines.map_while(Result::ok).count();
    assert!(rest > 5, "a table follows");
    assert!(run.wait().expect("ended").success());
    assert!(
        TcpStream::connect(addr).is_err(),
        "it is served as long as the run"
    );
}
