//! The patch that takes a patch back.

use json_patch::jsonptr::{PointerBuf, Token};
use json_patch::{
    AddOperation, Patch, PatchError, PatchOperation, RemoveOperation, ReplaceOperation,
    TestOperation,
};
use serde_json::Value;

/// Undoes `patch`, which made `after` of `before`; the server may have filled in more than it
/// says. What it tests is what the patch left behind.
pub(super) fn inverse(before: &Value, after: &Value, patch: &Patch) -> Result<Patch, PatchError> {
    let mut value = before.clone();
    let mut steps = Vec::new();
    for operation in &patch.0 {
        if let Some(step) = step(&value, operation) {
            steps.push(step);
        }
        json_patch::patch(&mut value, std::slice::from_ref(operation))?;
    }
    let test = |step: &PatchOperation| {
        let value = after.pointer(step.path().as_str())?.clone();
        Some(PatchOperation::Test(TestOperation { path: step.path().to_owned(), value }))
    };
    // Before the first step: each step changes what the next one's path leads to.
    let tests: Vec<_> = steps.iter().filter_map(test).collect();
    Ok(Patch(tests.into_iter().chain(steps.into_iter().rev()).collect()))
}

/// What takes one operation on `value` back.
fn step(value: &Value, operation: &PatchOperation) -> Option<PatchOperation> {
    let path = operation.path().to_owned();
    let old = value.pointer(path.as_str()).cloned();
    let parent = path.parent().and_then(|parent| value.pointer(parent.as_str()));
    match (operation, old, parent) {
        (PatchOperation::Add(_), _, Some(Value::Array(items))) => {
            let path = at_index(path, items.len());
            Some(PatchOperation::Remove(RemoveOperation { path }))
        }
        (PatchOperation::Add(_), None, _) => Some(PatchOperation::Remove(RemoveOperation { path })),
        (PatchOperation::Add(_) | PatchOperation::Replace(_), Some(value), _) => {
            Some(PatchOperation::Replace(ReplaceOperation { path, value }))
        }
        (PatchOperation::Remove(_), Some(value), _) => {
            Some(PatchOperation::Add(AddOperation { path, value }))
        }
        _ => None,
    }
}

/// `/items/-` with the number that it stands for.
fn at_index(mut path: PointerBuf, length: usize) -> PointerBuf {
    if path.last().is_some_and(|last| last.encoded() == "-") {
        path.pop_back();
        path.push_back(Token::from(length));
    }
    path
}
