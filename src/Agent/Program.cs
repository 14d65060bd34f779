using System.CommandLine;
using Dunlin.Agent.Children;
using Dunlin.Agent.Commands;
using Dunlin.Contracts.Processes;

// The children's roles come first: they enter their sandbox before anything else of the program runs.
if (ChildRoles.TryRun(args) is { } code) return code;
using var interruption = new Interruption();
return await AgentCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, interruption.Token);
