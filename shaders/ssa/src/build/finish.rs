//! From the draft to the function: parameters that are always the same value go, then everything that nobody needs;
//! the rest is numbered anew, in the order of the text.
//!
//! Adds nothing. Knows the draft, not WGSL.

use super::Builder;
use super::draft::{Edge, JoinId, Node};
use crate::ir::{Definition, Function, Label, Mark, Op, Place, Root, Statement, Value, Variable};
use naga::EntryPoint;
use rustc_hash::FxHashMap;
use warpweft_module::Location as Line;

/// What stands for an unused number.
const NONE: u32 = u32::MAX;

impl<'a> Builder<'a> {
    /// Ends the kernel.
    pub(super) fn finish(mut self, entry: &EntryPoint) -> Function {
        let Rebuilt { mut values, mut body, labels, variables } = self.rebuild();
        let mut functions = std::mem::take(&mut self.functions);
        let mut codes = vec![(&mut values[..], &mut body[..])];
        codes.extend(functions.iter_mut().map(|function| (&mut function.values[..], &mut function.body[..])));
        let locations = self.locations(&mut codes);
        Function {
            name: entry.name.clone(),
            workgroup_size: entry.workgroup_size,
            bindings: self.bindings,
            variables,
            values,
            labels,
            locations,
            body,
            functions,
        }
    }

    /// Ends the function that is being built; marks still are byte offsets.
    pub(super) fn rebuild(&mut self) -> Rebuilt {
        // Several functions know the variables by the same numbers, whether or not each of them uses them.
        let several = self.outlined.contains(&true);
        if self.live {
            let edge = self.edge();
            self.list.push(Node::Yield { edge });
        }
        let mut body = std::mem::take(&mut self.prologue);
        body.append(&mut self.list);
        let same = self.same();
        let mut needed = Needed::new(self, &same, &body, several);
        needed.spread();
        let Needed { live, loaded, .. } = needed;

        let mut edge_join = vec![NONE; self.edges.len()];
        for (n, join) in self.joins.iter().enumerate() {
            join.edges.iter().for_each(|edge| edge_join[edge.0 as usize] = n as u32);
        }
        let count = self.variables.len() as u32;
        let mut rebuild = Rebuild {
            number: vec![NONE; live.len()],
            variable: if several { (0..count).collect() } else { vec![NONE; count as usize] },
            labels: FxHashMap::default(),
            order: Vec::new(),
            variables: Vec::new(),
            edge_join,
            same,
            live,
            loaded,
            builder: self,
        };
        let mut statements = rebuild.list(body);
        end_by_yielding(&mut statements);
        let Rebuild { order, mut variables, labels, number, variable, same, .. } = rebuild;
        if several {
            variables =
                self.variables.iter().map(|v| Variable { shared: !v.workgroup, ..v.clone() }).collect();
        }
        let mut definitions = std::mem::take(&mut self.values.definitions);
        let mut values = Vec::with_capacity(order.len());
        let rename = |value: &mut Value| *value = Value(number[same[value.0 as usize].0 as usize]);
        for old in order {
            let definition = &mut definitions[old.0 as usize];
            let empty = Definition { ty: definition.ty, op: Op::Parameter, mark: definition.mark };
            let mut definition = std::mem::replace(definition, empty);
            definition.op.operands_mut(rename);
            if let Some(place) = definition.op.place_mut() {
                renumber(place, &variable);
            }
            values.push(definition);
        }
        Rebuilt { values, body: statements, labels: labels.len() as u32, variables }
    }

    /// What each value is the same as: parameters that get one value only, but for themselves.
    fn same(&self) -> Vec<Value> {
        let mut same: Vec<Value> = (0..self.values.definitions.len() as u32).map(Value).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for join in &self.joins {
                for (n, &param) in join.params.iter().enumerate() {
                    if same[param.0 as usize] != param {
                        continue;
                    }
                    let mut only = None;
                    let mut differ = false;
                    for edge in &join.edges {
                        let value = find(&mut same, self.edges[edge.0 as usize][n]);
                        if value != param && only != Some(value) {
                            differ = only.is_some();
                            only = Some(value);
                            if differ {
                                break;
                            }
                        }
                    }
                    if let Some(value) = only
                        && !differ
                        && self.values.reaches(value, param)
                    {
                        same[param.0 as usize] = value;
                        changed = true;
                    }
                }
            }
        }
        for n in 0..same.len() {
            find(&mut same, Value(n as u32));
        }
        same
    }

    /// Turns marks from byte offsets into numbers of lines.
    fn locations(&self, codes: &mut [(&mut [Definition], &mut [Statement])]) -> Vec<Line> {
        let mut offsets = Vec::new();
        // Neighbours mostly come from one place.
        let mut see = |mark: Mark| {
            if offsets.last() != Some(&mark.0) {
                offsets.push(mark.0);
            }
        };
        for (values, statements) in codes.iter_mut() {
            values.iter().for_each(|definition| see(definition.mark));
            marks(statements, &mut |mark| see(*mark));
        }
        offsets.sort_unstable();
        offsets.dedup();
        offsets.retain(|&offset| offset != 0);
        let mut lines: Vec<Line> = Vec::new();
        let mut numbers = Vec::with_capacity(offsets.len());
        let mut same_line = 0..0;
        for &offset in &offsets {
            let at = offset as usize - 1;
            if !same_line.contains(&at) {
                let Some((line, bytes)) = self.kernel.line(at) else {
                    numbers.push(Mark::default());
                    continue;
                };
                lines.push(line);
                same_line = bytes;
            }
            numbers.push(Mark(lines.len() as u32));
        }
        let mut last = (Mark::default(), Mark::default());
        let mut number = |mark: &mut Mark| {
            if *mark != last.0 {
                let found = offsets.binary_search(&mark.0);
                last = (*mark, found.map_or(Mark::default(), |at| numbers[at]));
            }
            *mark = last.1;
        };
        for (values, statements) in codes {
            values.iter_mut().for_each(|definition| number(&mut definition.mark));
            marks(statements, &mut number);
        }
        lines
    }
}

/// The code of a function.
pub(super) struct Rebuilt {
    pub values: Vec<Definition>,
    pub body: Vec<Statement>,
    pub labels: u32,
    pub variables: Vec<Variable>,
}

/// Lets a list end at its end: a `return` that nothing follows is a `yield`.
fn end_by_yielding(list: &mut Vec<Statement>) {
    match list.last_mut() {
        Some(last @ Statement::Return) => *last = Statement::Yield { arguments: Vec::new() },
        Some(Statement::If { then, otherwise, .. }) => {
            end_by_yielding(then);
            end_by_yielding(otherwise);
            let yields = |list: &[Statement]| matches!(list.last(), Some(Statement::Yield { .. }));
            if yields(then) || yields(otherwise) {
                list.push(Statement::Yield { arguments: Vec::new() });
            }
        }
        _ => {}
    }
}

fn marks(statements: &mut [Statement], f: &mut dyn FnMut(&mut Mark)) {
    for statement in statements {
        match statement {
            Statement::Store { mark, .. }
            | Statement::Barrier { mark, .. }
            | Statement::Call { mark, .. } => f(mark),
            Statement::If { then, otherwise, mark, .. } => {
                f(mark);
                marks(then, f);
                marks(otherwise, f);
            }
            Statement::Block { body, .. } => marks(body, f),
            Statement::Loop { body, mark, .. } => {
                f(mark);
                marks(body, f);
            }
            _ => {}
        }
    }
}

/// The end of a chain, which is shortened on the way.
fn find(same: &mut [Value], value: Value) -> Value {
    let mut end = value;
    while same[end.0 as usize] != end {
        end = same[end.0 as usize];
    }
    let mut at = value;
    while same[at.0 as usize] != end {
        at = std::mem::replace(&mut same[at.0 as usize], end);
    }
    end
}

fn renumber(place: &mut Place, variable: &[u32]) {
    if let Root::Variable(n) = &mut place.root {
        *n = variable[*n as usize];
    }
}

/// Which values are needed.
struct Needed<'n, 'a> {
    builder: &'n Builder<'a>,
    same: &'n [Value],
    live: Vec<bool>,
    work: Vec<Value>,
    /// Of parameters: the join, and which of its parameters.
    param_of: FxHashMap<Value, (JoinId, usize)>,
    /// What the branch that leads to a join asks.
    condition_of: Vec<Option<Value>>,
    /// What is stored to private variables: needed once something is loaded from them.
    stored: Vec<Vec<Value>>,
    loaded: Vec<bool>,
}

impl<'n, 'a> Needed<'n, 'a> {
    fn new(builder: &'n Builder<'a>, same: &'n [Value], body: &[Node], several: bool) -> Needed<'n, 'a> {
        let mut needed = Needed {
            builder,
            same,
            live: vec![false; same.len()],
            work: Vec::new(),
            param_of: FxHashMap::default(),
            condition_of: vec![None; builder.joins.len()],
            stored: vec![Vec::new(); builder.variables.len()],
            loaded: builder.variables.iter().map(|variable| several || variable.workgroup).collect(),
        };
        for (n, join) in builder.joins.iter().enumerate() {
            for (k, &param) in join.params.iter().enumerate() {
                needed.param_of.insert(param, (JoinId(n as u32), k));
            }
        }
        needed.roots(body);
        needed
    }

    fn need(&mut self, value: Value) {
        let value = self.same[value.0 as usize];
        if !std::mem::replace(&mut self.live[value.0 as usize], true) {
            self.work.push(value);
        }
    }

    /// Needs what statements do by themselves; whether they do anything.
    fn roots(&mut self, nodes: &[Node]) -> bool {
        let mut effect = false;
        for node in nodes {
            match node {
                Node::Let(value) => {
                    if self.builder.values.definitions[value.0 as usize].op.writes() {
                        effect = true;
                        self.need(*value);
                    }
                }
                Node::Store { place, value, .. } => {
                    effect = true;
                    let values = place.indices.iter().map(|index| index.value).chain([*value]);
                    match place.root {
                        Root::Variable(n) if !self.loaded[n as usize] => {
                            self.stored[n as usize].extend(values)
                        }
                        _ => values.for_each(|value| self.need(value)),
                    }
                }
                Node::If { condition, then, otherwise, join, .. } => {
                    let (then, otherwise) = (self.roots(then), self.roots(otherwise));
                    if then || otherwise {
                        effect = true;
                        self.need(*condition);
                    } else {
                        self.condition_of[join.0 as usize] = Some(*condition);
                    }
                }
                Node::Block { body, .. } => effect |= self.roots(body),
                Node::Loop { body, .. } => {
                    effect = true;
                    self.roots(body);
                }
                Node::Barrier { .. } | Node::Call { .. } | Node::Branch { .. } | Node::Return => {
                    effect = true
                }
                Node::Yield { .. } => {}
            }
        }
        effect
    }

    /// Needs what needed values come from.
    fn spread(&mut self) {
        let builder = self.builder;
        while let Some(value) = self.work.pop() {
            let op = &builder.values.definitions[value.0 as usize].op;
            op.operands(|operand| self.need(operand));
            if let Some(&(join, n)) = self.param_of.get(&value) {
                for edge in &builder.joins[join.0 as usize].edges {
                    self.need(builder.edges[edge.0 as usize][n]);
                }
                if let Some(condition) = self.condition_of[join.0 as usize] {
                    self.need(condition);
                }
            }
            if let Some(Root::Variable(n)) = op.place().map(|place| place.root)
                && !std::mem::replace(&mut self.loaded[n as usize], true)
            {
                for value in std::mem::take(&mut self.stored[n as usize]) {
                    self.need(value);
                }
            }
        }
    }
}

/// The finished tree on its way.
struct Rebuild<'r, 'a> {
    builder: &'r mut Builder<'a>,
    same: Vec<Value>,
    live: Vec<bool>,
    /// Variables that something is read from.
    loaded: Vec<bool>,
    edge_join: Vec<u32>,
    /// New numbers of values, and old values in the new order.
    number: Vec<u32>,
    order: Vec<Value>,
    /// New numbers of variables.
    variable: Vec<u32>,
    variables: Vec<Variable>,
    labels: FxHashMap<Label, Label>,
}

impl Rebuild<'_, '_> {
    fn define(&mut self, value: Value) -> Value {
        self.number[value.0 as usize] = self.order.len() as u32;
        self.order.push(value);
        Value(self.order.len() as u32 - 1)
    }

    fn value(&self, value: Value) -> Value {
        Value(self.number[self.same[value.0 as usize].0 as usize])
    }

    fn label(&mut self, label: Label) -> Label {
        let next = Label(self.labels.len() as u32);
        *self.labels.entry(label).or_insert(next)
    }

    /// Which parameters of a join stay.
    fn kept(&self, join: u32) -> impl Iterator<Item = (usize, Value)> + '_ {
        let params = self.builder.joins[join as usize].params.iter().copied().enumerate();
        params.filter(|&(_, p)| self.live[p.0 as usize] && self.same[p.0 as usize] == p)
    }

    fn results(&mut self, join: JoinId) -> Vec<Value> {
        let kept: Vec<Value> = self.kept(join.0).map(|(_, param)| param).collect();
        kept.into_iter().map(|param| self.define(param)).collect()
    }

    fn arguments(&self, edge: Edge) -> Vec<Value> {
        let join = self.edge_join[edge.0 as usize];
        if join == NONE {
            return Vec::new();
        }
        let values = &self.builder.edges[edge.0 as usize];
        self.kept(join).map(|(n, _)| self.value(values[n])).collect()
    }

    /// A variable that is used gets its number.
    fn use_variable(&mut self, root: Root) {
        if let Root::Variable(n) = root
            && self.variable[n as usize] == NONE
        {
            self.variable[n as usize] = self.variables.len() as u32;
            self.variables.push(self.builder.variables[n as usize].clone());
        }
    }

    fn list(&mut self, nodes: Vec<Node>) -> Vec<Statement> {
        let mut out = Vec::with_capacity(nodes.len());
        self.append(nodes, &mut out);
        out
    }

    fn append(&mut self, nodes: Vec<Node>, out: &mut Vec<Statement>) {
        for node in nodes {
            match node {
                Node::If { condition, then, otherwise, join, mark } => {
                    let (then, otherwise) = (self.list(then), self.list(otherwise));
                    out.extend(self.branch(condition, then, otherwise, join, mark));
                }
                Node::Block { label, body, join } => {
                    let label = self.label(label);
                    let body = self.list(body);
                    let results = self.results(join);
                    out.push(Statement::Block { label, body, results });
                }
                Node::Loop { body, join, .. } if self.builder.joins[join.0 as usize].edges.len() == 1 => {
                    // Nothing goes round.
                    self.append(body, out);
                }
                Node::Loop { label, body, join, mark } => {
                    let label = self.label(label);
                    let params = self.params(join);
                    let body = self.list(body);
                    out.push(Statement::Loop { label, params, body, mark });
                }
                node => out.extend(self.leaf(node)),
            }
        }
    }

    #[inline(never)]
    fn params(&mut self, join: JoinId) -> Vec<(Value, Value)> {
        let starts = match self.builder.joins[join.0 as usize].edges.first() {
            Some(&enter) => self.arguments(enter),
            None => Vec::new(),
        };
        self.results(join).into_iter().zip(starts).collect()
    }

    #[inline(never)]
    fn branch(
        &mut self,
        condition: Value,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
        join: JoinId,
        mark: Mark,
    ) -> Option<Statement> {
        let results = self.results(join);
        let empty = |list: &[Statement]| matches!(list, [Statement::Yield { .. }]);
        if results.is_empty() && empty(&then) && empty(&otherwise) {
            return None;
        }
        let condition = self.value(condition);
        Some(Statement::If { condition, then, otherwise, results, mark })
    }

    #[inline(never)]
    fn leaf(&mut self, node: Node) -> Option<Statement> {
        Some(match node {
            Node::Let(value) => {
                if !self.live[value.0 as usize] {
                    return None;
                }
                let root =
                    self.builder.values.definitions[value.0 as usize].op.place().map(|place| place.root);
                root.into_iter().for_each(|root| self.use_variable(root));
                Statement::Let(self.define(value))
            }
            Node::Store { mut place, value, atomic, mark } => {
                if matches!(place.root, Root::Variable(n) if !self.loaded[n as usize]) {
                    return None;
                }
                self.use_variable(place.root);
                renumber(&mut place, &self.variable);
                for index in &mut place.indices {
                    index.value = self.value(index.value);
                }
                Statement::Store { place, value: self.value(value), atomic, mark }
            }
            Node::Barrier { kind, mark } => Statement::Barrier { kind, mark },
            Node::Call { function, mark } => Statement::Call { function, mark },
            Node::Branch { label, edge } => {
                Statement::Branch { label: self.label(label), arguments: self.arguments(edge) }
            }
            Node::Yield { edge } => Statement::Yield { arguments: self.arguments(edge) },
            _ => Statement::Return,
        })
    }
}
