use std::collections::HashSet;
use std::thread;

use crate::model::Match;
use crate::snapshot::RuleSlot;
use crate::snapshot::pattern::Patterns;
use crate::snapshot::rule::CompiledRule;
use crate::snapshot::tests::{exact, get, prefix, rule};

use super::*;

fn candidate(name: &str, m: Match) -> Candidate {
    let rule = Arc::new(rule(name, vec![m]));
    let rule = CompiledRule::new(RuleSlot(0), rule, &mut Patterns::default());
    Candidate { rule: rule.into(), matched: 0 }
}

fn nodes(tree: &PathTree) -> HashSet<*const Node> {
    let mut nodes = HashSet::new();
    let mut open = vec![&tree.root];
    while let Some(node) = open.pop() {
        nodes.insert(Arc::as_ptr(node));
        open.extend(node.children.values());
    }
    nodes
}

#[test]
fn a_change_copies_the_nodes_on_its_path_alone() {
    let mut tree = PathTree::default();
    for number in 0..1_000 {
        tree.insert(candidate("r", prefix(&format!("/a/{number}/c/d"))));
    }
    let before = tree.clone();
    let old = nodes(&before);
    assert_eq!(old.len(), 3 + 3 * 1_000, "the root, \"\", a, and three for each");

    let new = candidate("new", exact("/a/7/c/x"));
    tree.insert(new.clone());
    assert_eq!(nodes(&tree).difference(&old).count(), 6, "five on the path and the new one");
    assert_eq!(nodes(&before), old);

    assert_eq!(tree.remove(&new), Left::Something);
    assert_eq!(nodes(&tree).difference(&old).count(), 5);
    assert_eq!(nodes(&tree).len(), old.len());
}

#[test]
fn a_cut_leaves_what_still_leads_somewhere() {
    let kept = ["/a", "/a/b/c/d", "/a/b/x"];
    let mut tree = PathTree::default();
    for path in kept {
        tree.insert(candidate("kept", exact(path)));
    }
    let shape = format!("{tree:?}");
    for path in ["/a/b/c/d/e/f", "/a/b", "/", "/a/b/y/z", "/a/b/c", "", "/a/b/c/d"] {
        let passing = candidate("passing", exact(path));
        tree.insert(passing.clone());
        assert_ne!(format!("{tree:?}"), shape, "{path}");
        assert_eq!(tree.remove(&passing), Left::Something);
        assert_eq!(format!("{tree:?}"), shape, "{path}");
    }
    assert_eq!(tree.remove(&candidate("absent", exact("/no/where"))), Left::Something);
    assert_eq!(format!("{tree:?}"), shape);
    for path in kept {
        assert!(!tree.root.is_empty());
        tree.remove(&candidate("kept", exact(path)));
    }
    assert!(tree.root.is_empty());
}

#[test]
fn depth_costs_no_stack() {
    let deep = "/".repeat(200_000);
    let work = move || {
        let long = candidate("long", exact(&deep));
        let mut tree = PathTree::default();
        tree.insert(candidate("short", prefix("/")));
        tree.insert(long.clone());
        let mut copy = tree.clone();
        let found =
            copy.find(&get("a", &deep), &mut 0).map(|found| &found.rule.rule.key.object.name);
        assert_eq!(found.map(|name| &**name), Some("long"));
        assert_eq!(copy.remove(&long), Left::Something);
        assert!(copy.root.children.is_empty());
        copy.insert(long);
        drop(tree);
        drop(copy);
    };
    let small_stack = thread::Builder::new().stack_size(64 * 1024);
    small_stack.spawn(work).expect("a thread starts").join().expect("the stack sufficed");
}
