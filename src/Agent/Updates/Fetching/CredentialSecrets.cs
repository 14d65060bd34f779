using System.Net.Http.Headers;
using System.Text;
using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Reads the secrets of a credential at the moment of use, so that a renewed file counts.</summary>
internal static class CredentialSecrets
{
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<string> ReadSecretAsync(this HostCredential credential, CancellationToken cancellationToken)
    {
        if (credential.Password.Length > 0) return credential.Password;
        if (credential.Token.Length > 0) return credential.Token;
        var file = credential.IsToken ? credential.TokenFile : credential.PasswordFile;
        using var reader = new StreamReader(file, Encoding.UTF8);
        return (await reader.ReadLineAsync(cancellationToken))?.Trim() ?? "";
    }

    public static async Task<AuthenticationHeaderValue> BasicAsync(this HostCredential credential, CancellationToken cancellationToken)
    {
        var secret = await credential.ReadSecretAsync(cancellationToken);
        return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{secret}")));
    }
}
