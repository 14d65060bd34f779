using System.Reflection;

namespace Dunlin.Agent;

internal static class AgentVersion
{
    /// <summary>For example 0.1.0.</summary>
    public static string Text { get; } =
        typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
