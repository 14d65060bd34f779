using Dunlin.Agent.Children;
using Dunlin.Agent.Commands;

// The children's roles come first: they enter their sandbox before anything else of the program runs.
return ChildRoles.TryRun(args) ?? await AgentCommand.Create().Parse(args).InvokeAsync();
