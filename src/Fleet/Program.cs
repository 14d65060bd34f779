using System.CommandLine;
using Dunlin.Contracts.Processes;
using Dunlin.Fleet;

using var interruption = new Interruption();
return await FleetCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, interruption.Token);
