// Reads {"package": PATH, "table": NAME, "columns": {name: type}, "queries": {title: text}} from stdin; prints what the language
// service of Kusto finds wrong with each query, and the columns of its result, as JSON.
const { package: home, table, columns, queries } = JSON.parse(require("fs").readFileSync(0, "utf8"));
require(home + "/bridge.js");
require(home + "/Kusto.Language.Bridge.js");
const listed = (list) => Array.from({ length: System.Array.getCount(list) }, (_, index) => System.Array.getItem(list, index));
const schema = Object.entries(columns).map(([name, type]) => `${name}: ${type}`).join(", ");
const symbol = Kusto.Language.Symbols.TableSymbol.From(`(${schema})`).WithName(table);
const globals = Kusto.Language.GlobalState.Default.WithDatabase(new Kusto.Language.Symbols.DatabaseSymbol.$ctor1("db", [symbol]));
const found = {};
for (const [title, text] of Object.entries(queries)) {
  const code = Kusto.Language.KustoCode.ParseAndAnalyze(text, globals);
  const result = code.ResultType;
  found[title] = {
    wrong: listed(code.GetDiagnostics()).map((each) => `${each.Message} at ${text.substr(each.Start, each.Length)}`),
    columns: result && result.Columns ? listed(result.Columns).map((column) => column.Name) : [],
  };
}
console.log(JSON.stringify(found));
