use super::*;

fn gather(command: &clap::Command, found: &mut Vec<clap::Command>) {
    found.push(command.clone());
    command.get_subcommands().for_each(|child| gather(child, found));
}

fn all_commands() -> Vec<clap::Command> {
    let mut found = Vec::new();
    let mut tree = tree();
    tree.build();
    gather(&tree, &mut found);
    found
}

#[test]
fn clap_finds_nothing_wrong_with_the_tree() {
    CommandLine::command().debug_assert();
}

#[test]
fn every_command_shows_two_examples_or_more_and_each_is_its_own() {
    let commands = all_commands();
    assert!(commands.len() >= 14, "{} commands", commands.len());
    for command in commands {
        let name = command.get_bin_name().unwrap_or_default().to_owned();
        let examples = help::examples_of(&command);
        assert!(examples.len() >= 2, "{name} has {} examples", examples.len());
        for example in examples {
            assert!(example.starts_with(&name), "{name} shows {example:?}");
            assert!(example.len() <= 90, "{example:?} would be wrapped");
        }
    }
}

#[test]
fn every_example_parses() {
    for command in all_commands() {
        for example in help::examples_of(&command) {
            let words: Vec<&str> = example.split_whitespace().collect();
            let end = words.iter().position(|word| ["|", ">", "<", "&&"].contains(word));
            let words = &words[..end.unwrap_or(words.len())];
            let parsed = tree()
                .try_get_matches_from(words)
                .and_then(|matches| CommandLine::from_arg_matches(&matches));
            assert!(
                parsed.is_ok(),
                "{example}: {}",
                parsed.err().map(|e| e.to_string()).unwrap_or_default()
            );
        }
    }
}

/// A letter that means one thing here and another there is learnt by accident.
#[test]
fn a_short_flag_means_the_same_everywhere() {
    let mut meanings = std::collections::BTreeMap::new();
    for command in all_commands() {
        for argument in command.get_arguments() {
            let (Some(short), Some(long)) = (argument.get_short(), argument.get_long()) else {
                continue;
            };
            let known = meanings.entry(short).or_insert_with(|| long.to_owned());
            assert_eq!(known, long, "-{short} of {}", command.get_name());
        }
    }
}

#[test]
fn every_flag_and_command_is_explained_without_a_full_stop() {
    for command in all_commands() {
        let name = command.get_bin_name().unwrap_or_default().to_owned();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !about.ends_with('.'), "{name}: {about:?}");
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let id = argument.get_id();
            assert!(!help.is_empty() && !help.ends_with('.'), "{name} {id}: {help:?}");
        }
    }
}

#[test]
fn exit_codes_are_the_documented_ones() {
    assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 130]);
}

#[test]
fn a_verb_without_its_noun_is_found() {
    let mut tree = tree();
    let error = tree
        .try_get_matches_from_mut(["meshctl", "drain"])
        .map(|_| ())
        .map_err(|error| suggest::nested(error, &tree).render().to_string());
    assert!(error.as_ref().is_err_and(|error| error.contains("proxy drain")), "{error:?}");
}
