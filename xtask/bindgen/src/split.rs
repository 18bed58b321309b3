//! `wasm-split`: what a module needs at first stays in it, the rest becomes a module of its own.
//!
//! ```text
//! wasm-split count MODULE -o COUNTING          for each function, whether it has run
//! wasm-split split MODULE --keep=FILE --load=NAME -o MAIN --rest=REST
//! wasm-split split MODULE --cold=FILE --load=NAME -o MAIN --rest=REST
//! ```
//!
//! A *counting* module does what MODULE does, and exports a global variable for each function of
//! its own, `ran` and the function's index: 1 once the function was called. With `--keep`, FILE
//! lists the indices of those that are to stay, white space between them.
//!
//! With `--cold`, FILE lists Rust paths, one a line, behind `#` a remark: a function whose name has
//! one of them in it goes, its type arguments included, and so does what only such functions call.
//! MODULE needs its names for that, demangled from Rust's v0 form: the older one has no type arguments.
//!
//! MAIN has, in place of a function that went, a *stub* that calls through the table of functions.
//! The first stub to be called calls the import that is called NAME (or begins with it), which has
//! to instantiate REST with MAIN's exports as its imports from `main`. That puts the functions into
//! the table, in the places of their stubs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use walrus::ir::{Const, GlobalSet, Instr, UnaryOp, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, FunctionKind,
    GlobalId, GlobalKind, ImportedFunction, Module, ModuleConfig, TableId, ValType,
};

/// What the rest calls the module that it belongs to.
const MAIN: &str = "main";

/// A function of so few instructions is no larger than its stub, and stays.
const SMALL: u64 = 8;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-split: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: impl Iterator<Item = String>) -> Result<()> {
    let mut options = BTreeMap::new();
    let mut plain = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((option, value)) => {
                options.insert(option.to_owned(), value.to_owned());
            }
            None => plain.push(word),
        }
    }
    let option = |name: &str| {
        options
            .get(name)
            .with_context(|| format!("{name} is missing"))
    };
    let [verb, input] = plain.as_slice() else {
        bail!("usage: wasm-split (count | split) MODULE --out=FILE …");
    };
    let bytes = std::fs::read(input).with_context(|| input.clone())?;
    let out = PathBuf::from(option("--out")?);
    match verb.as_str() {
        "count" => std::fs::write(out, counting(parse(&bytes)?))?,
        "split" => {
            let keep = match options.get("--cold") {
                Some(file) => warm(&parse(&bytes)?, &std::fs::read_to_string(file)?),
                None => std::fs::read_to_string(option("--keep")?)?
                    .split_whitespace()
                    .map(str::parse)
                    .collect::<Result<_, _>>()?,
            };
            let (main, rest) = split(&bytes, &keep, option("--load")?)?;
            std::fs::write(out, main)?;
            std::fs::write(option("--rest")?, rest)?;
        }
        _ => bail!("`{verb}` is neither `count` nor `split`"),
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Module> {
    let mut config = ModuleConfig::new();
    config
        .generate_name_section(false)
        .generate_producers_section(false);
    let mut module = config.parse(bytes)?;
    for section in module.customs.iter().map(|(id, _)| id).collect::<Vec<_>>() {
        module.customs.delete(section);
    }
    Ok(module)
}

/// The functions of a module by their indices.
fn functions(module: &Module) -> Vec<FunctionId> {
    module.funcs.iter().map(walrus::Function::id).collect()
}

/// The global variables of a module by their indices.
fn globals(module: &Module) -> Vec<GlobalId> {
    module.globals.iter().map(walrus::Global::id).collect()
}

/// The tables of a module by their indices.
fn tables(module: &Module) -> Vec<TableId> {
    module.tables.iter().map(walrus::Table::id).collect()
}

/// The module that says which of its functions have run.
fn counting(mut module: Module) -> Vec<u8> {
    for (index, id) in functions(&module).into_iter().enumerate() {
        if matches!(module.funcs.get(id).kind, FunctionKind::Import(_)) {
            continue;
        }
        let no = ConstExpr::Value(Value::I32(0));
        let ran = module.globals.add_local(ValType::I32, true, false, no);
        module.exports.add(&format!("ran{index}"), ran);
        let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
        let yes = Const {
            value: Value::I32(1),
        };
        let set = GlobalSet { global: ran };
        let mark: [Instr; 2] = [yes.into(), set.into()];
        let entry = function.block_mut(function.entry_block());
        entry
            .instrs
            .splice(0..0, mark.map(|instr| (instr, Default::default())));
    }
    module.emit_wasm()
}

/// What the functions of a module refer to, all by index.
struct Graph {
    /// The functions that a function's code names.
    functions: Vec<BTreeSet<usize>>,
    /// The global variables that it uses.
    globals: Vec<BTreeSet<usize>>,
    /// What stands in the table of functions, by slot.
    slots: BTreeMap<u64, usize>,
}

/// The functions, by index, that are not `cold`, nor called by such functions only.
///
/// What stands in the table of functions can be called from anywhere: it stays, unless it is cold
/// itself.
fn warm(module: &Module, cold: &str) -> BTreeSet<usize> {
    let cold: Vec<&str> = cold
        .lines()
        .filter_map(|line| line.split('#').next())
        .map(str::trim)
        .filter(|path| !path.is_empty())
        .collect();
    let graph = Graph::of(module);
    let named: Vec<_> = module.funcs.iter().collect();
    let is_cold = |index: usize| {
        let name = without_hashes(named[index].name.as_deref().unwrap_or_default());
        cold.iter().any(|path| name.contains(path))
    };
    let exported = exported(module);
    let roots = (0..named.len()).filter(|index| {
        exported.contains(&named[*index].id()) || Some(named[*index].id()) == module.start
    });
    let mut warm = BTreeSet::new();
    let mut open: Vec<usize> = roots.chain(graph.slots.values().copied()).collect();
    while let Some(index) = open.pop() {
        if !is_cold(index) && warm.insert(index) {
            open.extend(&graph.functions[index]);
        }
    }
    warm
}

/// A function's name without what stands in brackets: the hashes behind the names of crates.
fn without_hashes(name: &str) -> String {
    let mut depth = 0_u32;
    name.chars()
        .filter(|character| match character {
            '[' => {
                depth += 1;
                false
            }
            ']' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

/// What a function's code names.
#[derive(Default)]
struct Names {
    functions: Vec<FunctionId>,
    globals: Vec<GlobalId>,
}

impl<'i> Visitor<'i> for Names {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.functions.push(*function);
    }

    fn visit_global_id(&mut self, global: &GlobalId) {
        self.globals.push(*global);
    }
}

impl Graph {
    fn of(module: &Module) -> Graph {
        let function: BTreeMap<_, _> = functions(module).into_iter().zip(0..).collect();
        let global: BTreeMap<_, _> = globals(module).into_iter().zip(0..).collect();
        let mut graph = Graph {
            functions: Vec::new(),
            globals: Vec::new(),
            slots: BTreeMap::new(),
        };
        for each in module.funcs.iter() {
            let mut names = Names::default();
            if let FunctionKind::Local(local) = &each.kind {
                dfs_in_order(&mut names, local, local.entry_block());
            }
            graph
                .functions
                .push(names.functions.iter().map(|id| function[id]).collect());
            graph
                .globals
                .push(names.globals.iter().map(|id| global[id]).collect());
        }
        for (start, items) in module.elements.iter().filter_map(segment) {
            graph
                .slots
                .extend((start..).zip(items.iter().map(|id| function[id])));
        }
        graph
    }
}

/// A segment of the table of functions: its first slot, and what stands in it and behind.
fn segment(element: &walrus::Element) -> Option<(u64, &[FunctionId])> {
    match (&element.kind, &element.items) {
        (
            ElementKind::Active {
                offset: ConstExpr::Value(Value::I32(start)),
                ..
            },
            ElementItems::Functions(items),
        ) => Some((u64::try_from(*start).ok()?, items)),
        _ => None,
    }
}

/// The module of what is to stay, with stubs, and the module of the rest.
fn split(bytes: &[u8], keep: &BTreeSet<usize>, load: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut main = parse(bytes)?;
    let mut graph = Graph::of(&main);
    let goes = leaving(&main, keep);
    let stays = |index: &usize| !goes.contains(index);
    ensure!(!goes.is_empty(), "nothing is left out");

    // Where the functions that go can be called from what stays.
    let in_table: BTreeSet<usize> = graph.slots.values().copied().collect();
    let called: BTreeSet<usize> = (0..graph.functions.len())
        .filter(stays)
        .flat_map(|index| graph.functions[index].iter().copied())
        .filter(|index| goes.contains(index) && !in_table.contains(index))
        .collect();
    let table = function_table(&main)?;
    let ends = main.tables.get(table).initial;
    graph.slots.extend((ends..).zip(called.iter().copied()));
    let declared = main.tables.get_mut(table);
    declared.initial += called.len() as u64;
    declared.maximum = declared.maximum.map(|most| most.max(declared.initial));

    let rest = rest(parse(bytes)?, &mut main, &graph, &goes)?;
    stubs(&mut main, &graph, &goes, load)?;
    walrus::passes::gc::run(&mut main);
    Ok((main.emit_wasm(), rest))
}

/// The functions that a module exports.
fn exported(module: &Module) -> BTreeSet<FunctionId> {
    let exports = module.exports.iter();
    exports
        .filter_map(|export| match export.item {
            ExportItem::Function(id) => Some(id),
            _ => None,
        })
        .collect()
}

/// The functions that go.
fn leaving(module: &Module, keep: &BTreeSet<usize>) -> BTreeSet<usize> {
    let exported = exported(module);
    let goes = |function: &walrus::Function| match &function.kind {
        FunctionKind::Local(local) => local.size() > SMALL && !exported.contains(&function.id()),
        _ => false,
    };
    let all = module.funcs.iter().enumerate();
    all.filter(|(index, function)| !keep.contains(index) && goes(function))
        .map(|(index, _)| index)
        .collect()
}

/// Puts stubs in place of the functions that go.
fn stubs(main: &mut Module, graph: &Graph, goes: &BTreeSet<usize>, load: &str) -> Result<()> {
    let import = main
        .imports
        .iter()
        .find(|import| import.name.starts_with(load));
    let load = match import.map(|import| &import.kind) {
        Some(walrus::ImportKind::Function(load)) => *load,
        _ => bail!("no import is called `{load}`"),
    };
    let no = ConstExpr::Value(Value::I32(0));
    let loaded = main.globals.add_local(ValType::I32, true, false, no);
    let mut ensure = FunctionBuilder::new(&mut main.types, &[], &[]);
    ensure
        .func_body()
        .global_get(loaded)
        .unop(UnaryOp::I32Eqz)
        .if_else(
            None,
            |then| {
                then.call(load).i32_const(1).global_set(loaded);
            },
            |_| (),
        );
    let ensure = ensure.finish(Vec::new(), &mut main.funcs);

    let table = function_table(main)?;
    let ids = functions(main);
    let slots: BTreeMap<usize, u64> = graph
        .slots
        .iter()
        .map(|(slot, index)| (*index, *slot))
        .collect();
    for &index in goes {
        let ty = main.funcs.get(ids[index]).ty();
        let (parameters, results) = main.types.params_results(ty);
        let (parameters, results) = (parameters.to_vec(), results.to_vec());
        let mut stub = FunctionBuilder::new(&mut main.types, &parameters, &results);
        let arguments: Vec<_> = parameters.iter().map(|ty| main.locals.add(*ty)).collect();
        let mut body = stub.func_body();
        match slots.get(&index) {
            Some(slot) => {
                body.call(ensure);
                for argument in &arguments {
                    body.local_get(*argument);
                }
                body.i32_const(i32::try_from(*slot)?)
                    .call_indirect(ty, table);
            }
            // Nobody calls it from here.
            None => {
                body.unreachable();
            }
        }
        main.funcs.get_mut(ids[index]).kind = FunctionKind::Local(stub.local_func(arguments));
    }
    Ok(())
}

/// Makes `rest`, the whole module, the module of what goes. What that needs of `main` becomes an
/// export of `main`.
fn rest(
    mut rest: Module,
    main: &mut Module,
    graph: &Graph,
    goes: &BTreeSet<usize>,
) -> Result<Vec<u8>> {
    let mut exports = Exports::of(main);
    let (of_main, of_rest) = (functions(main), functions(&rest));
    let used = goes
        .iter()
        .flat_map(|index| graph.functions[*index].iter().copied());
    let used: BTreeSet<usize> = used.filter(|index| !goes.contains(index)).collect();
    for index in used {
        let name = exports.name(main, of_main[index].into());
        let function = rest.funcs.get(of_rest[index]);
        let ty = function.ty();
        if let FunctionKind::Import(imported) = &function.kind {
            let import = rest.imports.get_mut(imported.import);
            MAIN.clone_into(&mut import.module);
            import.name = name;
        } else {
            let import = rest.imports.add(MAIN, &name, of_rest[index]);
            let imported = ImportedFunction { import, ty };
            rest.funcs.get_mut(of_rest[index]).kind = FunctionKind::Import(imported);
        }
    }
    let (of_main, of_rest_globals) = (globals(main), globals(&rest));
    let used: BTreeSet<usize> = goes
        .iter()
        .flat_map(|index| graph.globals[*index].iter().copied())
        .collect();
    for index in used {
        let name = exports.name(main, of_main[index].into());
        let import = rest.imports.add(MAIN, &name, of_rest_globals[index]);
        rest.globals.get_mut(of_rest_globals[index]).kind = GlobalKind::Import(import);
    }
    let (of_main, of_rest_tables) = (tables(main), tables(&rest));
    for (of_main, of_rest) in of_main.into_iter().zip(of_rest_tables) {
        let name = exports.name(main, of_main.into());
        let import = rest.imports.add(MAIN, &name, of_rest);
        let whole = main.tables.get(of_main);
        let declared = rest.tables.get_mut(of_rest);
        (declared.initial, declared.maximum) = (whole.initial, whole.maximum);
        declared.import = Some(import);
        declared.elem_segments.clear();
    }
    let (table, memory) = (function_table(&rest)?, rest.get_memory_id()?);
    let name = exports.name(main, main.get_memory_id()?.into());
    let import = rest.imports.add(MAIN, &name, memory);
    let declared = rest.memories.get_mut(memory);
    declared.import = Some(import);
    declared.data_segments.clear();

    rest.start = None;
    for export in rest
        .exports
        .iter()
        .map(walrus::Export::id)
        .collect::<Vec<_>>()
    {
        rest.exports.delete(export);
    }
    for data in rest.data.iter().map(walrus::Data::id).collect::<Vec<_>>() {
        rest.data.delete(data);
    }
    for element in rest
        .elements
        .iter()
        .map(walrus::Element::id)
        .collect::<Vec<_>>()
    {
        rest.elements.delete(element);
    }
    for (start, items) in runs(graph.slots.iter().filter(|(_, index)| goes.contains(index))) {
        let items = items.into_iter().map(|index| of_rest[index]).collect();
        let offset = ConstExpr::Value(Value::I32(i32::try_from(start)?));
        let kind = ElementKind::Active { table, offset };
        let element = rest.elements.add(kind, ElementItems::Functions(items));
        rest.tables.get_mut(table).elem_segments.insert(element);
    }
    walrus::passes::gc::run(&mut rest);
    Ok(rest.emit_wasm())
}

/// Joins slots that follow each other.
fn runs<'s>(slots: impl Iterator<Item = (&'s u64, &'s usize)>) -> Vec<(u64, Vec<usize>)> {
    let mut runs: Vec<(u64, Vec<usize>)> = Vec::new();
    for (&slot, &index) in slots {
        match runs.last_mut() {
            Some((start, items)) if *start + items.len() as u64 == slot => items.push(index),
            _ => runs.push((slot, vec![index])),
        }
    }
    runs
}

fn function_table(module: &Module) -> Result<TableId> {
    let table = module.tables.main_function_table()?;
    table.context("the module has no table of functions")
}

/// The names of a module's exports.
struct Exports {
    by_item: BTreeMap<Item, String>,
    names: BTreeSet<String>,
}

/// What can be exported, with an order.
type Item = (u8, usize);

impl Exports {
    fn of(module: &Module) -> Exports {
        let exports = || module.exports.iter();
        Exports {
            by_item: exports()
                .map(|export| (item(&export.item), export.name.clone()))
                .collect(),
            names: exports().map(|export| export.name.clone()).collect(),
        }
    }

    /// The name of `item`'s export, which is made if need be.
    fn name(&mut self, module: &mut Module, export: ExportItem) -> String {
        let name = self.by_item.entry(item(&export)).or_insert_with(|| {
            let mut free = (self.names.len()..).map(|number| format!("{number:x}"));
            let name = free
                .find(|name| !self.names.contains(name))
                .unwrap_or_default();
            self.names.insert(name.clone());
            module.exports.add(&name, export);
            name
        });
        name.clone()
    }
}

fn item(export: &ExportItem) -> Item {
    match export {
        ExportItem::Function(id) => (0, id.index()),
        ExportItem::Table(id) => (1, id.index()),
        ExportItem::Memory(id) => (2, id.index()),
        ExportItem::Global(id) => (3, id.index()),
        ExportItem::Tag(id) => (4, id.index()),
    }
}
