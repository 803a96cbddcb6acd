//! Owns the processor's time stamp counter: whether to trust it, how to read it, how fast it is.
//!
//! It is trusted only where the kernel itself keeps time by it (clock source `tsc`) and the
//! processor says that it neither changes its pace nor stops.

use super::monotonic_ns;
use super::rate::Rate;
use std::fs::File;
use std::io::{BufRead, BufReader};

/// How long the counter is held against CLOCK_MONOTONIC. Measured here, the rates of many processes
/// lie within two parts in a million of each other, less than what a crystal drifts with heat.
const CALIBRATION_NS: u64 = 2_000_000;
/// Readings at either end, of which the least disturbed counts.
const READINGS: u32 = 64;

/// Reads the counter; other instructions may move across the read.
#[inline(always)]
pub(super) fn read() -> u64 {
    // SAFETY: rdtsc reads a register and touches no memory; every x86-64 processor has it, and
    // `rate` gave out this source only where the kernel uses the counter itself.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Reads the counter after everything before it in program order. No later store of this thread is
/// seen by another before the read: stores become visible when they retire, after the read has.
#[inline(always)]
pub(super) fn read_ordered() -> u64 {
    // SAFETY: lfence and rdtsc touch no memory; both belong to the x86-64 baseline.
    unsafe {
        core::arch::x86_64::_mm_lfence();
        core::arch::x86_64::_rdtsc()
    }
}

/// The counter's rate; `None` where it is not to be trusted.
pub(super) fn rate() -> Option<Rate> {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = std::fs::read_to_string(source).ok()?;
    if source.trim() != "tsc" || !has_steady_flags() {
        return None;
    }
    calibrate()
}

fn has_steady_flags() -> bool {
    let Ok(file) = File::open("/proc/cpuinfo") else {
        return false;
    };
    BufReader::new(file)
        .lines()
        .map_while(Result::ok)
        .find(|line| line.starts_with("flags"))
        .is_some_and(|flags| {
            let has = |name| flags.split_whitespace().any(|flag| flag == name);
            has("constant_tsc") && has("nonstop_tsc")
        })
}

fn calibrate() -> Option<Rate> {
    let first = tightest();
    while monotonic_ns() < first.1.saturating_add(CALIBRATION_NS) {
        std::hint::spin_loop();
    }
    let last = tightest();
    let ticks = last.0.checked_sub(first.0)?;
    let ns = last.1.checked_sub(first.1)?;
    if ticks == 0 {
        return None;
    }
    let mult = (u128::from(ns) << Rate::SHIFT) / u128::from(ticks);
    Rate::from_mult(u64::try_from(mult).ok()?)
}

/// One counter reading and the monotonic time in the middle of the two readings around it, from
/// the attempt that was interrupted least.
fn tightest() -> (u64, u64) {
    let mut best = (0, 0);
    let mut best_width = u64::MAX;
    for _ in 0..READINGS {
        let before = monotonic_ns();
        let ticks = read_ordered();
        // It fences by itself before it reads the counter, so `ticks` is not read after `after`.
        let after = monotonic_ns();
        let width = after.saturating_sub(before);
        if width < best_width {
            best_width = width;
            best = (ticks, before + width / 2);
        }
    }
    best
}
