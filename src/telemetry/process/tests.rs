use super::*;

#[test]
fn a_program_name_can_not_shift_the_fields() {
    let stat = "7 (a) R 1 (b) S 1 7 7 0 -1 4194304 106 0 0 0 250 50 0 0 20 0 1 0 100 1000 50";
    assert_eq!(cpu_seconds(stat), Some(3.0));
    assert_eq!(cpu_seconds("7 (cut short) S 1"), None);
    assert_eq!(cpu_seconds(""), None);
}

#[test]
fn the_kernel_tells_everything_about_this_process() {
    let values = values();
    let level = |family| {
        let found = values.iter().find(|(of, _)| *of == family);
        match found.map(|(_, value)| value) {
            Some(SampleValue::Level(level)) => *level,
            other => panic!("{family:?}: {other:?}"),
        }
    };
    assert!(level(Family::ProcessResidentMemory) > 1 << 20);
    assert!(level(Family::ProcessVirtualMemory) >= level(Family::ProcessResidentMemory));
    assert!(level(Family::ProcessThreads) >= 1);
    assert!((3..level(Family::ProcessMaxFds)).contains(&level(Family::ProcessOpenFds)));
    assert!(values.iter().any(|(family, _)| *family == Family::ProcessCpu));
}

#[test]
fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let raised = raise_open_files().expect("below the hard limit everything is allowed");
    let limit = getrlimit(Resource::Nofile);
    assert_eq!(limit.current, limit.maximum);
    assert_eq!(raised, limit.maximum.unwrap_or(u64::MAX));
}
