using System.CommandLine;
using Dunlin.Contracts.Processes;
using Dunlin.Optimizer;

using var interruption = new Interruption();
return await OptimizerCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, interruption.Token);
