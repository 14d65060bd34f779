using System.CommandLine;
using Dunlin.Bench;
using Dunlin.Contracts.Processes;

using var interruption = new Interruption();
return await BenchCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, interruption.Token);
