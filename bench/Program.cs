using Dunlin.Bench;

return await BenchCommand.Create().Parse(args).InvokeAsync();
