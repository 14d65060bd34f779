namespace Dunlin.Runtime.Tests;

/// <summary>For tests that measure memory or CPU time of the process: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
