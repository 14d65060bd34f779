using Dunlin.Agent.Children;

if (ChildRoles.TryRun(args) is { } exitCode) return exitCode;
return 0;
