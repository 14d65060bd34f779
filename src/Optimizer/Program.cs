using Dunlin.Optimizer;

return await OptimizerCommand.Create().Parse(args).InvokeAsync();
